/* The row-wise layers and the GEMM's epilogue, written once on sixteen lanes and compiled for every instruction set level.
 *
 * Internal. Defines the table VB_LAYERS_KERNEL; the including file sets that name and VB_LANES. */
#ifndef VB_LAYERS_LANES_H
#define VB_LAYERS_LANES_H

#include <stddef.h>

#include "kernels/matrix/layers_kernel.h"
#include "kernels/matrix/lanes_math.h"

LANES_FUNCTION lanes load_up_to(const float *p, int n) { return n < LANES ? lanes_load_part(p, n) : lanes_load(p); }
LANES_FUNCTION void store_up_to(float *p, lanes x, int n) {
    if (n < LANES) lanes_store_part(p, x, n);
    else lanes_store(p, x);
}

/* One row, or what is left of it, vector by vector. */
LANES_FUNCTION void epilogue_row(int n, const float *sums, const vb_epilogue *e, int64_t row, int64_t j, float *c) {
    const float *residual = e->residual ? e->residual + row * e->ld_residual + j : NULL;
    const float *gate = e->gate ? e->gate + row * e->ld_gate + j : NULL;
    for (int col = 0; col < n; col += LANES) {
        int count = n - col < LANES ? n - col : LANES;
        lanes x = load_up_to(sums + col, count);
        if (e->scale) x = lanes_mul(x, load_up_to(e->scale + j + col, count));
        if (e->bias) x = lanes_add(x, load_up_to(e->bias + j + col, count));
        x = lanes_activate(x, e->activation);
        if (gate) x = lanes_mul(x, load_up_to(gate + col, count));
        if (residual) x = lanes_add(x, load_up_to(residual + col, count));
        x = lanes_activate(x, e->last);
        store_up_to(c + col, x, count);
    }
}

/* Vectors that go through the epilogue together: an activation is one long chain of operations, and the processor sees far enough
 * to overlap those of two vectors at most unless they stand side by side. */
#define EACH(v) _Pragma("GCC unroll 4") for (int v = 0; v < LANES_BESIDE; v++)

LANES_FUNCTION void activate_some(lanes x[LANES_BESIDE], vb_activation activation) {
    switch (activation) {
    case VB_LINEAR: break;
    case VB_QUICK_GELU: EACH(v) x[v] = lanes_quick_gelu(x[v]); break;
    case VB_GELU: EACH(v) x[v] = lanes_gelu(x[v]); break;
    case VB_GELU_TANH: EACH(v) x[v] = lanes_gelu_tanh(x[v]); break;
    case VB_SILU: EACH(v) x[v] = lanes_silu(x[v]); break;
    case VB_RELU: EACH(v) x[v] = lanes_max(lanes_all(0.0f), x[v]); break;
    case VB_SIGMOID: EACH(v) x[v] = lanes_sigmoid(x[v]); break;
    }
}

static void epilogue_rows(int m, int n, const float *sums, int ld_sums, const vb_epilogue *epilogue, int64_t i, int64_t j,
                          float *c, int64_t ldc) {
    static const vb_epilogue none;
    const vb_epilogue *e = epilogue ? epilogue : &none;
    int row = 0, col = 0;
    if (n % LANES == 0)
        for (int left = m * (n / LANES); left >= LANES_BESIDE; left -= LANES_BESIDE) {
            int rows[LANES_BESIDE], cols[LANES_BESIDE];
            lanes x[LANES_BESIDE];
            EACH(v) {
                rows[v] = row, cols[v] = col;
                col += LANES;
                if (col == n) row++, col = 0;
            }
            EACH(v) x[v] = lanes_load(sums + (int64_t)rows[v] * ld_sums + cols[v]);
            if (e->scale) EACH(v) x[v] = lanes_mul(x[v], lanes_load(e->scale + j + cols[v]));
            if (e->bias) EACH(v) x[v] = lanes_add(x[v], lanes_load(e->bias + j + cols[v]));
            activate_some(x, e->activation);
            if (e->gate) EACH(v) x[v] = lanes_mul(x[v], lanes_load(e->gate + (i + rows[v]) * e->ld_gate + j + cols[v]));
            if (e->residual)
                EACH(v) x[v] = lanes_add(x[v], lanes_load(e->residual + (i + rows[v]) * e->ld_residual + j + cols[v]));
            activate_some(x, e->last);
            EACH(v) lanes_store(c + rows[v] * ldc + cols[v], x[v]);
        }
    for (; row < m; row++, col = 0)
        epilogue_row(n - col, sums + (int64_t)row * ld_sums + col, e, i + row, j + col, c + row * ldc + col);
}

static void activate(int64_t count, float *x, vb_activation activation) {
    for (int64_t i = 0; i < count; i += LANES) {
        int n = count - i < LANES ? (int)(count - i) : LANES;
        store_up_to(x + i, lanes_activate(load_up_to(x + i, n), activation), n);
    }
}

static void exponential(int64_t count, float *x) {
    for (int64_t i = 0; i < count; i += LANES) {
        int n = count - i < LANES ? (int)(count - i) : LANES;
        store_up_to(x + i, lanes_exp(load_up_to(x + i, n)), n);
    }
}

static void softmax(int64_t width, float scale, float *x) {
    int64_t whole = width - width % LANES;
    int rest = (int)(width - whole);
    lanes factor = lanes_all(scale), most = lanes_all(-INFINITY);
    for (int64_t j = 0; j < whole; j += LANES) most = lanes_max(lanes_mul(lanes_load(x + j), factor), most);
    float largest = lanes_largest(most);
    for (int64_t j = whole; j < width; j++) largest = x[j] * scale > largest ? x[j] * scale : largest;

    lanes shift = lanes_all(largest), sums = lanes_all(0.0f);
    for (int64_t j = 0; j < whole; j += LANES) {
        lanes e = lanes_exp(lanes_sub(lanes_mul(lanes_load(x + j), factor), shift));
        lanes_store(x + j, e);
        sums = lanes_add(sums, e);
    }
    if (rest) {
        lanes_store_part(x + whole, lanes_exp(lanes_sub(lanes_mul(lanes_load_part(x + whole, rest), factor), shift)), rest);
        sums = lanes_add(sums, lanes_load_part(x + whole, rest));
    }
    lanes inverse = lanes_all(1 / lanes_sum(sums));
    for (int64_t j = 0; j < width; j += LANES) {
        int n = width - j < LANES ? (int)(width - j) : LANES;
        store_up_to(x + j, lanes_mul(load_up_to(x + j, n), inverse), n);
    }
}

/* Sixteen sums in double, halved as in lanes_sum. */
static double halve(double sums[LANES]) {
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) sums[i] += sums[i + half];
    return sums[0];
}

static void norm(int64_t width, const float *x, const float *weight, const float *bias, float epsilon, const float *residual,
                 float *out) {
    int64_t whole = width - width % LANES;
    double sums[LANES] = {0}, squares[LANES] = {0};
    for (int64_t j = 0; j < whole; j += LANES)
#pragma omp simd
        for (int i = 0; i < LANES; i++) sums[i] += (double)x[j + i];
    for (int64_t j = whole; j < width; j++) sums[j - whole] += (double)x[j];
    double mean = halve(sums) / (double)width;

    for (int64_t j = 0; j < whole; j += LANES)
#pragma omp simd
        for (int i = 0; i < LANES; i++) squares[i] += ((double)x[j + i] - mean) * ((double)x[j + i] - mean);
    for (int64_t j = whole; j < width; j++) squares[j - whole] += ((double)x[j] - mean) * ((double)x[j] - mean);
    double inverse = 1 / sqrt(halve(squares) / (double)width + (double)epsilon);

#pragma omp simd
    for (int64_t j = 0; j < width; j++) out[j] = (float)(((double)x[j] - mean) * inverse);
    for (int64_t j = 0; j < width; j += LANES) {
        int n = width - j < LANES ? (int)(width - j) : LANES;
        lanes y = load_up_to(out + j, n);
        if (weight) y = lanes_mul(y, load_up_to(weight + j, n));
        if (bias) y = lanes_add(y, load_up_to(bias + j, n));
        if (residual) y = lanes_add(y, load_up_to(residual + j, n));
        store_up_to(out + j, y, n);
    }
}

static void rotate(int heads, int head_dim, const float *straight, const float *crossed, float *x) {
    for (int head = 0; head < heads; head++, x += head_dim)
        for (int j = 0; j < head_dim; j += LANES) {
            int n = head_dim - j < LANES ? head_dim - j : LANES;
            lanes old = load_up_to(x + j, n), y = lanes_mul(old, load_up_to(straight + j, n));
            store_up_to(x + j, lanes_fma(lanes_swap(old), load_up_to(crossed + j, n), y), n);
        }
}

const vb_layers_kernel VB_LAYERS_KERNEL = {
    .epilogue = epilogue_rows, .norm = norm, .activate = activate, .exp = exponential, .softmax = softmax, .rotate = rotate};

#endif
