/* The coder: rotation by signs, a permutation and small Hadamard matrices; rounding to bytes; norms rounded up. */
#include "kernels/search/coder.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/exact/round_outward.h"

struct vb_coder {
    int dim, width, block;
    vb_similarity similarity;
    double mean_norm;
    float *mean;
    int32_t *from; /* rotated coordinate i comes from coordinate from[i] (NULL: nothing is rotated), */
    double *sign;  /* times sign[i], which includes the Hadamard matrix's factor, or is the inverse stretch */
};

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int vb_coder_new(vb_coder **out, int dim, const float *mean, uint64_t seed, vb_similarity similarity, vb_error *err) {
    assert(dim >= 1);
    *out = NULL;
    vb_coder *coder = vb_array(1, sizeof *coder, "coder", err);
    if (!coder) return -1;
    *coder = (vb_coder){.dim = dim, .width = (dim + 63) / 64 * 64, .similarity = similarity};
    coder->block = coder->width % 1024 == 0 ? 1024 : coder->width % 256 == 0 ? 256 : 64;
    size_t width = (size_t)coder->width;
    coder->mean = vb_array(width, sizeof *coder->mean, "coder", err);
    coder->from = vb_array(width, sizeof *coder->from, "coder", err);
    coder->sign = vb_array(width, sizeof *coder->sign, "coder", err);
    if (!coder->mean || !coder->from || !coder->sign) {
        vb_coder_free(coder);
        return -1;
    }
    memcpy(coder->mean, mean, (size_t)dim * sizeof *mean);
    double square = 0, factor = 1 / sqrt(coder->block); /* a power of two */
    for (int k = 0; k < dim; k++) square += (double)mean[k] * mean[k];
    coder->mean_norm = sqrt(square) * (1 + 0x1p-30);
    for (int i = 0; i < coder->width; i++) coder->from[i] = i;
    for (int i = coder->width - 1; i > 0; i--) {
        int j = (int)(splitmix64(&seed) % (uint64_t)(i + 1));
        int32_t kept = coder->from[i];
        coder->from[i] = coder->from[j];
        coder->from[j] = kept;
    }
    for (int i = 0; i < coder->width; i++) coder->sign[i] = splitmix64(&seed) >> 63 ? factor : -factor;
    *out = coder;
    return 0;
}

int vb_coder_new_stretched(vb_coder **coder, int dim, const float *mean, const float *stretch, vb_error *err) {
    if (vb_coder_new(coder, dim, mean, 0, VB_DOT, err)) return -1;
    vb_free((*coder)->from);
    (*coder)->from = NULL;
    for (int k = 0; k < dim; k++) (*coder)->sign[k] = 1 / (double)stretch[k];
    return 0;
}

void vb_coder_free(vb_coder *coder) {
    if (!coder) return;
    vb_free(coder->mean);
    vb_free(coder->from);
    vb_free(coder->sign);
    vb_free(coder);
}

int vb_coder_dim(const vb_coder *coder) { return coder->dim; }
int vb_coder_width(const vb_coder *coder) { return coder->width; }
double vb_coder_mean_norm(const vb_coder *coder) { return coder->mean_norm; }
static_assert(VB_CODER_GROUP == 16 && sizeof(float) == 4, "the layout of groups in index blocks");

size_t vb_coder_group_bytes(int width) {
    assert(width % 64 == 0);
    return (size_t)VB_CODER_GROUP * (size_t)width + 3 * VB_CODER_GROUP * sizeof(float);
}

double vb_coder_mean_product(const vb_coder *coder, const float *q) {
    double sum = 0;
    for (int k = 0; k < coder->dim; k++) sum += (double)q[k] * coder->mean[k];
    return sum;
}

void vb_coder_rotate(const vb_coder *coder, double *v, double *work) {
    for (int i = 0; i < coder->dim && !coder->from; i++) v[i] *= coder->sign[i];
    if (!coder->from) return;
    for (int i = 0; i < coder->width; i++) work[i] = v[coder->from[i]] * coder->sign[i];
    for (int at = 0; at < coder->width; at += coder->block)
        for (int half = 1; half < coder->block; half *= 2)
            for (int i = at; i < at + coder->block; i += 2 * half)
                for (int j = i; j < i + half; j++) {
                    double a = work[j], b = work[j + half];
                    work[j] = a + b;
                    work[j + half] = a - b;
                }
    memcpy(v, work, (size_t)coder->width * sizeof *v);
}

/* One row into its lane of the group. */
static void code_row(const vb_coder *coder, double *v, double *work, double square, uint8_t *codes, float *scale, float *residual,
                     float *norm) {
    const double UP = 1 + 0x1p-30, LARGEST = 0x1p60, SMALLEST = 0x1p-60;
    double length = sqrt(square);
    if (length > LARGEST || (coder->similarity == VB_COSINE && length < SMALLEST)) {
        *residual = INFINITY; /* floats could not hold what follows; scored from the original, always */
        return;
    }
    double left = 0, largest = 0, coded = 0;
    for (int k = 0; k < coder->dim; k++) {
        v[k] = (coder->similarity == VB_COSINE ? v[k] / length : v[k]) - coder->mean[k];
        left += v[k] * v[k];
    }
    /* Roundings so far and in the rotation: far below this. */
    double slack = 0x1p-44 * (sqrt(left) + coder->mean_norm + (coder->similarity == VB_COSINE ? 1 : length)) + 0x1p-140;
    vb_coder_rotate(coder, v, work);
    for (int k = 0; k < coder->width; k++) largest = fmax(largest, fabs(v[k]));
    *scale = vb_round_outward_up(fmax(largest / 127, 0x1p-120));
    left = 0;
    for (int k = 0; k < coder->width; k++) {
        double c = fmin(fmax(rint(v[k] / *scale), -127), 127), rest = v[k] - c * *scale;
        codes[k / 4 * 4 * VB_CODER_GROUP + k % 4] = (uint8_t)(c + 128);
        left += rest * rest;
        coded += c * c;
    }
    *residual = vb_round_outward_up(sqrt(left) * UP + slack);
    *norm = vb_round_outward_up(sqrt(coded) * *scale * UP);
}

void vb_coder_encode(const vb_coder *coder, const void *rows, vb_dtype dtype, int count, void *group, double *work,
                     int64_t *not_finite, int64_t *zero) {
    assert(coder->from && count >= 0 && count <= VB_CODER_GROUP && (dtype == VB_F32 || dtype == VB_F16 || dtype == VB_BF16));
    uint8_t *codes = group;
    float numbers[3][VB_CODER_GROUP] = {{0}};
    double *v = work + coder->width;
    const size_t size = vb_dtype_size(dtype);
    memset(codes, 128, (size_t)VB_CODER_GROUP * (size_t)coder->width);
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        double square = 0;
        numbers[1][i] = -INFINITY;
        if (i >= count) continue;
        memset(v, 0, (size_t)coder->width * sizeof *v);
        const char *row = (const char *)rows + (size_t)i * (size_t)coder->dim * size;
        for (int k = 0; k < coder->dim; k++) {
            v[k] = vb_dtype_load(dtype, row + (size_t)k * size);
            square += v[k] * v[k];
        }
        *not_finite += !isfinite(square);
        *zero += square == 0;
        if (!isfinite(square) || (square == 0 && coder->similarity == VB_COSINE)) continue;
        code_row(coder, v, work, square, codes + 4 * i, &numbers[0][i], &numbers[1][i], &numbers[2][i]);
    }
    memcpy(codes + (size_t)VB_CODER_GROUP * (size_t)coder->width, numbers, sizeof numbers);
}
