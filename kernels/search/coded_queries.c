/* Queries in 8 bits: planes, panels, and the screen of coded rows against all of them. */
#include "kernels/search/coded_queries.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/exact/round_outward.h"

/* y to codes up to `most`, leaving y - scale * codes in y; the norm of that, not rounded up. */
static double code_plane(double *y, int width, int most, double *scale, int8_t *codes, int32_t *offset, double *coded_norm) {
    double largest = 0, left = 0, square = 0;
    *offset = 0;
    for (int k = 0; k < width; k++) largest = fmax(largest, fabs(y[k]));
    *scale = largest > 0 ? largest / most : 1;
    for (int k = 0; k < width; k++) {
        double c = fmin(fmax(rint(y[k] / *scale), -most), most);
        codes[k] = (int8_t)c;
        *offset += 128 * codes[k];
        y[k] -= c * *scale;
        left += y[k] * y[k];
        square += c * c;
    }
    *coded_norm = sqrt(square);
    return sqrt(left);
}

/* work: room for 2 width doubles and width codes. */
static void code_query(vb_coded_queries *coded, int64_t q, const float *from, double *work) {
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
    square = 0;
    for (int k = 0; k < width; k++) square += y[k] * y[k];
    query->turned = sqrt(square) * UP;
    int8_t *first = (int8_t *)(work + 2 * width);
    double slack = 0x1p-44 * query->norm; /* roundings of the rotation and of the planes */
    query->first_left =
        code_plane(y, width, coded->kernel->most, &query->first_scale, first, &coded->offset[q], &first_norm) * UP + slack;
    query->second_left = code_plane(y, width, coded->kernel->most, &query->second_scale, coded->second + q * width,
                                    &query->second_offset, &second_norm) *
                             UP +
                         slack;
    query->base = vb_coder_mean_product(coder, from);
    query->base_slack = (dim + 8.0) * 0x1p-52 * query->norm * vb_coder_mean_norm(coder);
    /* The screen is computed in fp32, in units of first_scale: five roundings of numbers that add up to no more than these. */
    coded->alpha[q] = vb_round_outward_up(fmax(query->turned / query->first_scale * UP, 1e-30));
    coded->beta[q] = vb_round_outward_up((query->first_left / query->first_scale + 0x1p-21 * first_norm) * UP);
    int64_t panel = q / VB_CODED_PANEL, place = q % VB_CODED_PANEL, left = coded->count - panel * VB_CODED_PANEL;
    int64_t queries = left < VB_CODED_PANEL ? left : VB_CODED_PANEL;
    int8_t *to = coded->panels + panel * VB_CODED_PANEL * width;
    for (int k = 0; k < width; k += 4) memcpy(to + (k / 4 * queries + place) * 4, first + k, 4);
}

int vb_coded_queries_new(vb_coded_queries **out, const vb_coder *coder, const float *queries, int64_t count, vb_error *err) {
    assert(count >= 0);
    *out = NULL;
    vb_coded_queries *coded = vb_array(1, sizeof *coded, "coded queries", err);
    if (!coded) return -1;
    *coded = (vb_coded_queries){.coder = coder, .count = count, .width = vb_coder_width(coder)};
    coded->kernel = vb_coded_kernel_get();
    size_t codes = (size_t)count * (size_t)coded->width;
    double *work = vb_array((size_t)coded->width * 3, sizeof *work, "coded queries", err);
    coded->query = vb_array((size_t)count, sizeof *coded->query, "coded queries", err);
    coded->offset = vb_array((size_t)count, sizeof *coded->offset, "coded queries", err);
    coded->alpha = vb_array((size_t)count, sizeof *coded->alpha, "coded queries", err);
    coded->beta = vb_array((size_t)count, sizeof *coded->beta, "coded queries", err);
    coded->panels = vb_array(codes, 1, "coded queries", err);
    coded->second = vb_array(codes, 1, "coded queries", err);
    bool whole = coded->query && coded->offset && coded->alpha && coded->beta && coded->panels && coded->second;
    int status = work && whole ? 0 : -1;
    for (int64_t q = 0; !status && q < count; q++) code_query(coded, q, queries + q * vb_coder_dim(coder), work);
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
    vb_free(coded->second);
    vb_free(coded);
}

size_t vb_coded_queries_bytes(int64_t queries, int dim) {
    return (size_t)queries * (sizeof(vb_coded_query) + sizeof(int32_t) + 2 * sizeof(float) + 2 * (((size_t)dim + 63) / 64 * 64));
}

float vb_coded_queries_threshold(const vb_coded_queries *coded, int64_t q, double floor) {
    assert(q >= 0 && q < coded->count);
    const vb_coded_query *query = &coded->query[q];
    double value = (floor - query->base - query->base_slack) / query->first_scale;
    if (value == -INFINITY) return -INFINITY;
    value -= 0x1p-45 * (fabs(floor) + fabs(query->base)) / query->first_scale;
    return vb_round_outward_down(value);
}

int vb_coded_queries_screen(const vb_coded_queries *coded, const float *thresholds, const vb_coded_groups *groups,
                            vb_passed *passed, void *context, vb_error *err) {
    assert(groups->count == 1 || groups->count == 2);
    size_t stride = vb_coder_group_bytes(coded->width), codes = (size_t)VB_CODER_GROUP * (size_t)coded->width;
    int32_t products[VB_CODED_PANEL * VB_CODED_PAIR];
    int64_t asked = 0, some = groups->ahead_bytes / ((coded->count + VB_CODED_PANEL - 1) / VB_CODED_PANEL) + 1;
    for (int64_t at = 0; at < coded->count; at += VB_CODED_PANEL) {
        int queries = coded->count - at < VB_CODED_PANEL ? (int)(coded->count - at) : VB_CODED_PANEL;
        for (int64_t end = asked + some; asked < end && asked < groups->ahead_bytes; asked += 64)
            __builtin_prefetch(groups->ahead + asked, 0, 2);
        coded->kernel->products(groups->groups, stride, groups->count, coded->panels + at * coded->width, queries,
                                coded->offset + at, coded->width, products);
        for (int h = 0; h < groups->count; h++) {
            const uint8_t *group = groups->groups + (size_t)h * stride;
            const float *numbers = (const float *)(const void *)(group + codes);
            uint16_t pass[VB_CODED_PANEL];
            if (!coded->kernel->screen(products + h * VB_CODER_GROUP, numbers, queries, coded->alpha + at, coded->beta + at,
                                       thresholds + at, pass))
                continue;
            for (int i = 0; i < queries; i++)
                if (pass[i] && passed(context, at + i, pass[i], group, products + i * VB_CODED_PAIR + h * VB_CODER_GROUP, h, err))
                    return -1;
        }
    }
    return 0;
}
