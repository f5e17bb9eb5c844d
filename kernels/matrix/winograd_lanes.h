/* Winograd's transforms (winograd.h), written once on sixteen lanes and compiled for AVX2 and AVX-512. Each is a line of fixed
 * operations, first down the columns, then along the rows. Columns are gone through for the rows at hand only, so that
 * what lies between fits into registers.
 *
 * Internal. Defines the table VB_WINOGRAD_TABLE; the including file sets that name and VB_LANES. */
#ifndef VB_WINOGRAD_LANES_H
#define VB_WINOGRAD_LANES_H

#include "kernels/matrix/lanes.h"
#include "kernels/matrix/winograd_kernel.h"

enum {
    SIDE = VB_WINOGRAD_SIDE,
    WINDOW = VB_WINOGRAD_WINDOW,
    POINTS = VB_WINOGRAD_POINTS,
    TAPS = 3,
    BLOCK = VB_WINOGRAD_BLOCK,
    BESIDE = VB_WINOGRAD_BESIDE
};
#define UNROLL _Pragma("GCC unroll 6")

/* x + factor * y */
LANES_FUNCTION lanes plus(lanes x, float factor, lanes y) { return lanes_fma(lanes_all(factor), y, x); }
LANES_FUNCTION lanes times(float factor, lanes x) { return lanes_mul(lanes_all(factor), x); }

/* ---- filters ---- */

LANES_FUNCTION void filter_line(const lanes g[TAPS], lanes u[WINDOW]) {
    const lanes near = plus(g[0], 9.0f / 16, g[2]), far = plus(g[0], 9.0f / 4, g[2]);
    u[0] = times(64.0f / 81, g[0]);
    u[1] = times(-128.0f / 243, plus(near, 3.0f / 4, g[1]));
    u[2] = times(-128.0f / 243, plus(near, -3.0f / 4, g[1]));
    u[3] = times(32.0f / 243, plus(far, 3.0f / 2, g[1]));
    u[4] = times(32.0f / 243, plus(far, -3.0f / 2, g[1]));
    u[5] = g[2];
}

static void winograd_filter(int count, int cols, const float *taps, float *u, int64_t step) {
    for (int c = 0; c < count; c++, taps += TAPS * TAPS * cols, u += cols)
        for (int j = 0; j < cols; j += LANES) {
            lanes down[TAPS][WINDOW];
            UNROLL for (int x = 0; x < TAPS; x++) {
                lanes g[TAPS];
                UNROLL for (int y = 0; y < TAPS; y++) g[y] = lanes_load(taps + (y * TAPS + x) * cols + j);
                filter_line(g, down[x]);
            }
            UNROLL for (int y = 0; y < WINDOW; y++) {
                const lanes g[TAPS] = {down[0][y], down[1][y], down[2][y]};
                lanes row[WINDOW];
                filter_line(g, row);
                UNROLL for (int x = 0; x < WINDOW; x++) lanes_store(u + (y * WINDOW + x) * step + j, row[x]);
            }
        }
}

/* ---- pixels ---- */

/* The two outer points of a line, of the one that it begins at: d[0], d[2], d[4] or d[1], d[3], d[5]. */
LANES_FUNCTION lanes outer(lanes first, lanes third, lanes fifth) {
    return plus(plus(fifth, -45.0f / 16, third), 81.0f / 64, first);
}

LANES_FUNCTION void pair(lanes d1, lanes d2, lanes d3, lanes d4, float square, float root, lanes *above, lanes *below) {
    const lanes even = plus(d4, -square, d2), odd = plus(d3, -square, d1);
    *above = plus(even, root, odd);
    *below = plus(even, -root, odd);
}

LANES_FUNCTION void input_row(const lanes d[WINDOW], int row, float *v, int64_t step) {
    lanes r[WINDOW];
    r[0] = outer(d[0], d[2], d[4]);
    pair(d[1], d[2], d[3], d[4], 9.0f / 4, 3.0f / 4, &r[1], &r[2]);
    pair(d[1], d[2], d[3], d[4], 9.0f / 16, 3.0f / 2, &r[3], &r[4]);
    r[5] = outer(d[1], d[3], d[5]);
    UNROLL for (int x = 0; x < WINDOW; x++) {
        const int p = row * WINDOW + x;
        lanes_store(v + p / BESIDE * step + p % BESIDE * BLOCK, r[x]);
    }
}

LANES_FUNCTION lanes load_channels(const float *from, int count) {
    return count < LANES ? lanes_load_part(from, count) : lanes_load(from);
}

/* Sixteen channels, or `count` and zeros. */
LANES_FUNCTION void input_some(int count, const float *const *from, int c, float *v, int64_t step) {
#define PIXEL(y, x) load_channels(from[(y)*WINDOW + (x)] + c, count)
    lanes a[WINDOW], b[WINDOW];
    UNROLL for (int x = 0; x < WINDOW; x++) a[x] = outer(PIXEL(0, x), PIXEL(2, x), PIXEL(4, x));
    input_row(a, 0, v + c, step);
    UNROLL for (int x = 0; x < WINDOW; x++)
        pair(PIXEL(1, x), PIXEL(2, x), PIXEL(3, x), PIXEL(4, x), 9.0f / 4, 3.0f / 4, &a[x], &b[x]);
    input_row(a, 1, v + c, step);
    input_row(b, 2, v + c, step);
    UNROLL for (int x = 0; x < WINDOW; x++)
        pair(PIXEL(1, x), PIXEL(2, x), PIXEL(3, x), PIXEL(4, x), 9.0f / 16, 3.0f / 2, &a[x], &b[x]);
    input_row(a, 3, v + c, step);
    input_row(b, 4, v + c, step);
    UNROLL for (int x = 0; x < WINDOW; x++) a[x] = outer(PIXEL(1, x), PIXEL(3, x), PIXEL(5, x));
    input_row(a, 5, v + c, step);
#undef PIXEL
}

static void winograd_input(int count, const float *const from[POINTS], float *v, int64_t step) {
    int c = 0;
    for (; c + LANES <= count; c += LANES) input_some(LANES, from, c, v, step);
    if (c < count) input_some(count - c, from, c, v, step);
}

/* ---- results ---- */

LANES_FUNCTION void output_line(const lanes m[WINDOW], lanes y[SIDE]) {
    const lanes sum = lanes_add(m[1], m[2]), difference = lanes_sub(m[1], m[2]);
    const lanes sum2 = lanes_add(m[3], m[4]), difference2 = lanes_sub(m[3], m[4]);
    y[0] = lanes_add(lanes_add(m[0], sum), sum2);
    y[1] = plus(times(3.0f / 4, difference), 3.0f / 2, difference2);
    y[2] = plus(times(9.0f / 16, sum), 9.0f / 4, sum2);
    y[3] = plus(plus(m[5], 27.0f / 64, difference), 27.0f / 8, difference2);
}

static void winograd_output(int cols, const float *m, int64_t step, float *y, int64_t ld) {
    for (int j = 0; j < cols; j += LANES) {
        lanes down[WINDOW][SIDE];
        UNROLL for (int x = 0; x < WINDOW; x++) {
            lanes column[WINDOW];
            UNROLL for (int i = 0; i < WINDOW; i++) column[i] = lanes_load(m + (i * WINDOW + x) * step + j);
            output_line(column, down[x]);
        }
        UNROLL for (int r = 0; r < SIDE; r++) {
            const lanes row[WINDOW] = {down[0][r], down[1][r], down[2][r], down[3][r], down[4][r], down[5][r]};
            lanes results[SIDE];
            output_line(row, results);
            UNROLL for (int s = 0; s < SIDE; s++) lanes_store(y + (r * ld + s) * cols + j, results[s]);
        }
    }
}

const vb_winograd_kernel VB_WINOGRAD_TABLE = {.filter = winograd_filter, .input = winograd_input, .output = winograd_output};

#endif
