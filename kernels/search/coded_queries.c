/* Queries in 8 bits: planes, panels, and the screen of coded rows against all of them. */
#include "kernels/search/coded_queries.h"

#include <math.h>
#include <string.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"

/* ---- the plain kernel
 * ----------------------------------------------------------------------------------------------------------- */

static void plain_products(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries,
                           const int32_t *offsets, int width, int32_t *out) {
    for (int g = 0; g < groups; g++)
        for (int q = 0; q < queries; q++)
            for (int i = 0; i < VB_GROUP; i++) {
                int32_t sum = -offsets[q];
                for (int k = 0; k < width; k++)
                    sum += codes[(size_t)g * stride + (size_t)(k / 4 * 4 * VB_GROUP + 4 * i + k % 4)] *
                           panel[(k / 4 * queries + q) * 4 + k % 4];
                out[q * VB_PAIR + g * VB_GROUP + i] = sum;
            }
}

static unsigned plain_screen(const int32_t *products, const float *numbers, int queries, const float *alpha, const float *beta,
                             const float *thresholds, uint16_t *pass) {
    unsigned any = 0;
    for (int q = 0; q < queries; q++) {
        pass[q] = 0;
        for (int i = 0; i < VB_GROUP; i++) {
            float bound = fmaf(beta[q], numbers[2 * VB_GROUP + i], alpha[q] * numbers[VB_GROUP + i]);
            if (fmaf(numbers[i], (float)products[q * VB_PAIR + i], bound) >= thresholds[q]) pass[q] |= (uint16_t)(1u << i);
        }
        any |= pass[q];
    }
    return any;
}

const vb_coded_kernel vb_coded_kernel_scalar = {plain_products, plain_screen};

const vb_coded_kernel *vb_coded_kernel_get(void) {
#if defined(__x86_64__)
    vb_isa level = vb_isa_level();
    if (level >= VB_VNNI) return &vb_coded_kernel_vnni;
    if (level >= VB_AVX2) return &vb_coded_kernel_avx2;
#endif
    return &vb_coded_kernel_scalar;
}

/* ---- queries
 * --------------------------------------------------------------------------------------------------------------------- */

static float float_above(double value) {
    float rounded = (float)value;
    return (double)rounded < value ? nextafterf(rounded, INFINITY) : rounded;
}

/* y to codes, leaving y - scale * codes in y; the norm of that, not rounded up. */
static double take_plane(double *y, int width, double *scale, int8_t *codes, int32_t *offset, double *coded_norm) {
    double largest = 0, left = 0, square = 0;
    *offset = 0;
    for (int k = 0; k < width; k++) largest = fmax(largest, fabs(y[k]));
    *scale = largest > 0 ? largest / 127 : 1;
    for (int k = 0; k < width; k++) {
        double c = fmin(fmax(rint(y[k] / *scale), -127), 127);
        codes[k] = (int8_t)c;
        *offset += 128 * codes[k];
        y[k] -= c * *scale;
        left += y[k] * y[k];
        square += c * c;
    }
    *coded_norm = sqrt(square);
    return sqrt(left);
}

static void take_query(vb_coded_queries *coded, int64_t q, const float *from, double *work) {
    const vb_coder *coder = coded->coder;
    const double UP = 1 + 0x1p-20;
    int width = coded->width, dim = vb_coder_dim(coder);
    vb_coded_query *query = &coded->query[q];
    double *y = work + width, square = 0, first_norm, second_norm;
    memset(y, 0, (size_t)width * sizeof *y);
    for (int k = 0; k < dim; k++) {
        y[k] = from[k];
        square += y[k] * y[k];
    }
    query->norm = sqrt(square) * (1 + 0x1p-30);
    vb_coder_rotate(coder, y, work);
    int8_t *first = coded->first + q * width;
    double slack = 0x1p-44 * query->norm; /* roundings of the rotation and of the planes */
    query->first_left = take_plane(y, width, &query->first_scale, first, &coded->offset[q], &first_norm) * UP + slack;
    query->second_left =
        take_plane(y, width, &query->second_scale, coded->second + q * width, &query->second_offset, &second_norm) * UP + slack;
    query->base = vb_coder_mean_product(coder, from);
    query->base_slack = (dim + 8.0) * 0x1p-52 * query->norm * vb_coder_mean_norm(coder);
    /* The screen is computed in fp32, in units of first_scale: five roundings of numbers that add up to no more than these. */
    coded->alpha[q] = float_above(fmax(query->norm / query->first_scale * UP, 1e-30));
    coded->beta[q] = float_above((query->first_left / query->first_scale + 0x1p-21 * first_norm) * UP);
    int64_t panel = q / VB_PANEL, place = q % VB_PANEL, left = coded->count - panel * VB_PANEL;
    int64_t queries = left < VB_PANEL ? left : VB_PANEL;
    int8_t *to = coded->panels + panel * VB_PANEL * width;
    for (int k = 0; k < width; k += 4) memcpy(to + (k / 4 * queries + place) * 4, first + k, 4);
}

int vb_coded_queries_new(vb_coded_queries **out, const vb_coder *coder, const float *queries, int64_t count, vb_error *err) {
    *out = NULL;
    vb_coded_queries *coded = vb_array(1, sizeof *coded, "coded queries", err);
    if (!coded) return -1;
    *coded = (vb_coded_queries){.coder = coder, .count = count, .width = vb_coder_width(coder)};
    size_t codes = (size_t)count * (size_t)coded->width;
    double *work = vb_array((size_t)coded->width * 2, sizeof *work, "coded queries", err);
    coded->query = vb_array((size_t)count, sizeof *coded->query, "coded queries", err);
    coded->offset = vb_array((size_t)count, sizeof *coded->offset, "coded queries", err);
    coded->alpha = vb_array((size_t)count, sizeof *coded->alpha, "coded queries", err);
    coded->beta = vb_array((size_t)count, sizeof *coded->beta, "coded queries", err);
    coded->panels = vb_array(codes, 1, "coded queries", err);
    coded->first = vb_array(codes, 1, "coded queries", err);
    coded->second = vb_array(codes, 1, "coded queries", err);
    bool whole = coded->query && coded->offset && coded->alpha && coded->beta && coded->panels && coded->first && coded->second;
    int status = work && whole ? 0 : -1;
    for (int64_t q = 0; !status && q < count; q++) take_query(coded, q, queries + q * vb_coder_dim(coder), work);
    vb_free(work);
    if (status) vb_coded_queries_free(coded);
    else *out = coded;
    return status;
}

void vb_coded_queries_free(vb_coded_queries *coded) {
    if (!coded) return;
    vb_free(coded->query);
    vb_free(coded->offset);
    vb_free(coded->alpha);
    vb_free(coded->beta);
    vb_free(coded->panels);
    vb_free(coded->first);
    vb_free(coded->second);
    vb_free(coded);
}

size_t vb_coded_queries_bytes(int64_t queries, int dim) {
    return (size_t)queries * (sizeof(vb_coded_query) + sizeof(int32_t) + 2 * sizeof(float) + 3 * (((size_t)dim + 63) / 64 * 64));
}

float vb_coded_queries_threshold(const vb_coded_queries *coded, int64_t q, double floor) {
    const vb_coded_query *query = &coded->query[q];
    double value = (floor - query->base - query->base_slack) / query->first_scale;
    if (value == -INFINITY) return -INFINITY;
    value -= 0x1p-45 * (fabs(floor) + fabs(query->base)) / query->first_scale;
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

/* ---- the screen
 * ------------------------------------------------------------------------------------------------------------------- */

int vb_coded_queries_screen(const vb_coded_queries *coded, const vb_coded_kernel *kernel, const float *thresholds,
                            const uint8_t *groups, int pair, const char *ahead, int64_t ahead_bytes, vb_passed *passed,
                            void *context, vb_error *err) {
    size_t stride = vb_coder_group_bytes(coded->width), codes = (size_t)VB_GROUP * (size_t)coded->width;
    int32_t products[VB_PANEL * VB_PAIR];
    int64_t asked = 0, some = ahead_bytes / ((coded->count + VB_PANEL - 1) / VB_PANEL) + 1;
    for (int64_t at = 0; at < coded->count; at += VB_PANEL) {
        int queries = coded->count - at < VB_PANEL ? (int)(coded->count - at) : VB_PANEL;
        for (int64_t end = asked + some; asked < end && asked < ahead_bytes; asked += 64) __builtin_prefetch(ahead + asked, 0, 2);
        kernel->products(groups, stride, pair, coded->panels + at * coded->width, queries, coded->offset + at, coded->width,
                         products);
        for (int h = 0; h < pair; h++) {
            const uint8_t *group = groups + (size_t)h * stride;
            const float *numbers = (const float *)(const void *)(group + codes);
            uint16_t pass[VB_PANEL];
            if (!kernel->screen(products + h * VB_GROUP, numbers, queries, coded->alpha + at, coded->beta + at, thresholds + at,
                                pass))
                continue;
            for (int i = 0; i < queries; i++)
                if (pass[i] && passed(context, at + i, pass[i], group, products + i * VB_PAIR + h * VB_GROUP, h, err)) return -1;
        }
    }
    return 0;
}
