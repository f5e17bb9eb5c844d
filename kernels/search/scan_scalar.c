/* The search's inner loops in plain C: the definition that the other levels are tested against. */
#include <math.h>

#include "kernels/exact/two_sum.h"
#include "kernels/search/scan_kernel.h"

static void scan_products_scalar(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out,
                                 int64_t ldout, vb_scan_ahead ahead) {
    (void)ahead;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < queries; j++) {
            float lane[8] = {0};
            for (int64_t k = 0; k < width; k += 8)
                for (int l = 0; l < 8; l++) lane[l] += x[i * width + k + l] * q[j * width + k + l];
            out[i * ldout + j] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
        }
}

static void scan_widen_scalar(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                              float *squares) {
    const int64_t size = (int64_t)vb_dtype_size(dtype);
    for (int64_t i = 0; i < count; i++) {
        squares[i] = 0;
        for (int64_t k = 0; k < width; k++) {
            float x = k < dim ? vb_dtype_load(dtype, (const char *)rows + (i * dim + k) * size) : 0;
            if (out) out[i * width + k] = x;
            squares[i] += x * x;
        }
    }
}

static int scan_screen_scalar(const float *scores, int64_t ld, int64_t rows, const float *thresholds, int count, int *hits) {
    int found = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int i = 0; i < count; i++)
            if (scores[row * ld + i] >= thresholds[i]) hits[found++] = (int)(row * ld) + i;
    return found;
}

static void scan_pair_scalar(const float *x, const float *q, int64_t width, double *sum, double *rest) {
    double s[8] = {0}, e[8] = {0};
    for (int64_t k = 0; k < width; k += 8)
        for (int l = 0; l < 8; l++) e[l] += vb_two_sum(s[l], (double)x[k + l] * q[k + l], &s[l]);
    vb_two_sum_join(s, e, sum, rest);
}

static float scan_least_scalar(const float *x, int64_t width) {
    float least = INFINITY;
    for (int64_t k = 0; k < width; k++)
        if (x[k] != 0) least = fminf(least, fabsf(x[k]));
    return least;
}

const vb_scan_kernel vb_scan_kernel_scalar = {.products = scan_products_scalar,
                                              .widen = scan_widen_scalar,
                                              .screen = scan_screen_scalar,
                                              .pair = scan_pair_scalar,
                                              .least = scan_least_scalar};
