/* The search's inner loops in plain C: the definition that the other levels are tested against. */
#include <math.h>
#include <string.h>

#include "kernels/exact/two_sum.h"
#include "kernels/search/coder.h"
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

/* Element k of what is coded; factor NULL: 1. */
static float mapped(const float *row, const float *factor, int64_t width, const vb_scan_map *map, int64_t k) {
    float x = k < width ? row[k] : 0;
    return factor ? fmaf(x * map->stretch[k], *factor, -map->mean[k]) : fmaf(x, map->stretch[k], -map->mean[k]);
}

/* One row to codes, and to the numbers that bound what these lose: its elements of `numbers` are scale, residual and norm. Sums
 * of squares in fp32, in 32 parts, are off by less than a part in 2^12, a square root by half of that; the squares of codes are
 * summed in integers. */
static void encode_row(const float *row, const float *factor, float widened, int64_t width, const vb_scan_map *map,
                       uint8_t *codes, float *numbers) {
    enum { PARTS = 32 };
    float largest = 0, left[PARTS] = {0};
    int32_t square = 0;
    for (int64_t k = 0; k < map->width; k++) largest = fmaxf(largest, fabsf(mapped(row, factor, width, map, k)));
    float step = fmaxf(largest / 127, 0x1p-100f), steps = 1 / step; /* no code is beyond 127 */
    for (int64_t k = 0; k < map->width; k++) {
        float u = mapped(row, factor, width, map, k), c = rintf(u * steps), lost = fmaf(-c, step, u);
        left[k % PARTS] = fmaf(lost, lost, left[k % PARTS]);
        square += (int32_t)c * (int32_t)c;
        codes[k / 4 * 4 * VB_CODER_GROUP + k % 4] = (uint8_t)((int)c + 128);
    }
    for (int half = PARTS / 2; half; half /= 2)
        for (int i = 0; i < half; i++) left[i] += left[i + half];
    numbers[0] = step;
    numbers[VB_CODER_GROUP] = sqrtf(left[0]) * (1 + 0x1p-11f) + widened;
    numbers[2 * VB_CODER_GROUP] = sqrtf((float)square) * step * (1 + 0x1p-11f);
}

static void scan_encode_scalar(const float *rows, const float *factors, const float *widened, int count, int64_t width,
                               const vb_scan_map *map, uint8_t *group) {
    float numbers[3][VB_CODER_GROUP] = {{0}};
    memset(group, 0x80, (size_t)(VB_CODER_GROUP * map->width));
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        const float *factor = factors ? factors + i : NULL;
        if (i < count) encode_row(rows + i * width, factor, widened[i], width, map, group + 4 * i, &numbers[0][i]);
        else numbers[1][i] = -INFINITY;
    }
    memcpy(group + VB_CODER_GROUP * map->width, numbers, sizeof numbers);
}

const vb_scan_kernel vb_scan_kernel_scalar = {.products = scan_products_scalar,
                                              .widen = scan_widen_scalar,
                                              .screen = scan_screen_scalar,
                                              .encode = scan_encode_scalar,
                                              .pair = scan_pair_scalar,
                                              .least = scan_least_scalar};
