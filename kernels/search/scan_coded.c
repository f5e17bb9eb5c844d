/* Rows coded in 8 bits as they pass by, screened against all queries. */
#include "kernels/search/scan_coded.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/search/coded_queries.h"

enum { ROUNDS = 16 /* times VB_SCAN_CODED_ROWS rows before thresholds are read again */ };
static_assert(VB_SCAN_CODED_ROWS == 2 * VB_CODER_GROUP, "rows are screened in pairs of groups");

struct vb_scan_coded {
    vb_coder *coder;
    vb_coded_queries *queries;
    float *mean, *stretch, *stretched_mean; /* VB_SCAN_CODED_WIDTH */
    float most_stretch;
    float *thresholds;
    uint8_t *groups;         /* two */
    vb_scan_block *block;    /* the one that is being searched */
    int64_t rows, at, round; /* its rows; the first of the pair of groups at hand */
    int64_t first_id;        /* of the block's rows */
};

size_t vb_scan_coded_bytes(int64_t queries, int dim) {
    return sizeof(vb_scan_coded) + 3 * VB_SCAN_CODED_WIDTH * sizeof(float) + vb_coded_queries_bytes(queries, dim) +
           (size_t)queries * sizeof(float) + 2 * vb_coder_group_bytes((dim + 63) / 64 * 64);
}

static void mean_of_rows(const vb_scan_block *block, int64_t rows, float *mean) {
    const vb_search *search = block->search;
    int64_t usual = 0;
    double sum[VB_SCAN_CODED_WIDTH] = {0};
    for (int64_t i = 0; i < rows; i++) {
        if (block->kind[i] != VB_ROW_ORDINARY) continue;
        const float *row = block->wide + i * search->width;
        for (int64_t k = 0; k < search->dim; k++) sum[k] += (double)row[k] * block->inverse[i];
        usual++;
    }
    for (int64_t k = 0; k < search->dim; k++) mean[k] = (float)(sum[k] / (double)(usual ? usual : 1));
}

/* The stretch of each coordinate: the square root of the ratio of the queries' spread to the rows', over the ratio that all have
 * in common. Returns the largest. */
static float even_out(const vb_scan_block *block, int64_t rows, const float *mean, float *stretch) {
    enum { LEAST = -4, MOST = 6 }; /* exponents: more would widen the bounds */
    const vb_search *search = block->search;
    double wanted[VB_SCAN_CODED_WIDTH], common = 0;
    float most = 0;
    int64_t known = 0;
    for (int64_t k = 0; k < search->dim; k++) {
        double of_rows = 0, of_queries = 0;
        for (int64_t i = 0; i < rows; i++) {
            double u = (double)block->wide[i * search->width + k] * block->inverse[i] - mean[k];
            if (block->kind[i] == VB_ROW_ORDINARY) of_rows += u * u;
        }
        for (int64_t q = 0; q < search->count; q++) {
            double y = search->norm[q] > 0 ? search->queries[q * search->width + k] / search->norm[q] : 0;
            of_queries += y * y;
        }
        bool both = of_rows > 0 && of_queries > 0;
        wanted[k] = both ? 0.25 * (log2(of_queries) - log2(of_rows)) : NAN;
        common += both ? wanted[k] : 0;
        known += both;
    }
    common /= (double)(known ? known : 1);
    for (int64_t k = 0; k < search->dim; k++) {
        double exponent = isnan(wanted[k]) ? 0 : rint(wanted[k] - common);
        stretch[k] = ldexpf(1, (int)(exponent < LEAST ? LEAST : exponent > MOST ? MOST : exponent));
        most = stretch[k] > most ? stretch[k] : most;
    }
    return most;
}

int vb_scan_coded_new(vb_scan_coded **out, const vb_scan_block *block, int64_t n, vb_error *err) {
    const vb_search *search = block->search;
    assert(search->width <= VB_SCAN_CODED_WIDTH && n <= block->most);
    *out = NULL;
    size_t count = (size_t)search->count, dim = (size_t)search->dim;
    vb_scan_coded *coded = vb_array(1, sizeof *coded, "coded rows", err);
    float *packed = coded ? vb_array(count * dim, sizeof *packed, "coded queries", err) : NULL;
    int status = packed ? 0 : -1;
    if (!status && !(coded->mean = vb_array(3 * VB_SCAN_CODED_WIDTH, sizeof(float), "coded rows", err))) status = -1;
    if (!status) {
        coded->stretch = coded->mean + VB_SCAN_CODED_WIDTH;
        coded->stretched_mean = coded->stretch + VB_SCAN_CODED_WIDTH;
        mean_of_rows(block, n, coded->mean);
        coded->most_stretch = even_out(block, n, coded->mean, coded->stretch);
        for (size_t k = 0; k < dim; k++) coded->stretched_mean[k] = coded->mean[k] * coded->stretch[k];
    }
    for (size_t q = 0; !status && q < count; q++)
        memcpy(packed + q * dim, search->queries + q * (size_t)search->width, dim * sizeof *packed);
    if (!status) status = vb_coder_new_stretched(&coded->coder, (int)dim, coded->mean, coded->stretch, err);
    if (!status) status = vb_coded_queries_new(&coded->queries, coded->coder, packed, search->count, err);
    if (!status && !(coded->thresholds = vb_array(count, sizeof(float), "coded queries", err))) status = -1;
    if (!status && !(coded->groups = vb_buffer(2 * vb_coder_group_bytes(vb_coder_width(coded->coder)), 1, "coded rows", err)))
        status = -1;
    vb_free(packed);
    if (status) vb_scan_coded_free(coded);
    else *out = coded;
    return status;
}

void vb_scan_coded_free(vb_scan_coded *coded) {
    if (!coded) return;
    vb_coded_queries_free(coded->queries);
    vb_coder_free(coded->coder);
    vb_free(coded->mean);
    vb_free(coded->thresholds);
    vb_free(coded->groups);
    vb_free(coded);
}

/* vb_passed: rows that the codes cannot exclude, in fp32. */
static int score_passed(void *context, int64_t q, unsigned pass, const uint8_t *group, const int32_t *first, int half,
                        vb_error *err) {
    vb_scan_coded *coded = context;
    vb_scan_block *block = coded->block;
    const vb_search *search = block->search;
    const float *query = search->queries + q * search->width;
    float threshold = vb_scan_block_threshold(block, q), score;
    (void)group, (void)first;
    for (; pass; pass &= pass - 1) {
        int64_t i = coded->at + half * VB_CODER_GROUP + __builtin_ctz(pass);
        if (i >= coded->rows) return 0; /* missing rows pass while there is no threshold */
        block->kernel->products(block->wide + i * search->width, 1, query, 1, search->width, &score, 1,
                                (vb_scan_ahead){(const char *)query, 0});
        if (search->similarity == VB_COSINE) score *= block->inverse[i];
        if (score >= threshold && vb_scan_block_offer(block, i, q, coded->first_id + i, NULL, err)) return -1;
    }
    return 0;
}

int vb_scan_coded_search(vb_scan_coded *coded, vb_scan_block *block, int64_t n, int64_t first_id, vb_error *err) {
    assert(n <= block->most && !block->unusual);
    const vb_search *search = block->search;
    int64_t width = vb_coder_width(coded->coder);
    size_t group = vb_coder_group_bytes((int)width);
    float mean = (float)vb_coder_mean_norm(coded->coder), widened[VB_SCAN_ROWS];
    bool cosine = search->similarity == VB_COSINE;
    const vb_scan_map map = {.stretch = coded->stretch, .mean = coded->stretched_mean, .width = width};
    for (int64_t i = 0; i < n; i++) {
        double length = cosine ? 1 : sqrt(block->square[i]) * (1 + search->radius);
        widened[i] =
            coded->most_stretch * (float)(0x1p-22 * (length + mean) + (cosine ? 2 * search->radius : 0) + VB_SEARCH_SMALLEST);
    }
    coded->block = block;
    coded->rows = n;
    coded->first_id = first_id;
    for (coded->at = 0; coded->at < n; coded->at += VB_SCAN_CODED_ROWS) {
        int64_t rows = n - coded->at < VB_SCAN_CODED_ROWS ? n - coded->at : VB_SCAN_CODED_ROWS;
        vb_coded_groups groups = {.groups = coded->groups,
                                  .count = rows > VB_CODER_GROUP ? 2 : 1,
                                  .ahead = block->stored + (size_t)(coded->at + block->most) * block->row_bytes,
                                  .ahead_bytes = VB_SCAN_CODED_ROWS * (int64_t)block->row_bytes};
        for (int h = 0; h < groups.count; h++) {
            int64_t at = coded->at + h * VB_CODER_GROUP, count = n - at < VB_CODER_GROUP ? n - at : VB_CODER_GROUP;
            block->kernel->encode(block->wide + at * search->width, cosine ? block->inverse + at : NULL, widened + at, (int)count,
                                  search->width, &map, coded->groups + (size_t)h * group);
        }
        if (coded->round++ % ROUNDS == 0)
            for (int64_t q = 0; q < search->count; q++)
                coded->thresholds[q] = vb_coded_queries_threshold(coded->queries, q, vb_search_floor(search, q));
        if (vb_coded_queries_screen(coded->queries, coded->thresholds, &groups, score_passed, coded, err)) return -1;
    }
    return 0;
}
