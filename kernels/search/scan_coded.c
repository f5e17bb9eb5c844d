/* Rows coded in 8 bits as they pass by, screened against all queries. */
#include "kernels/search/scan_coded.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "kernels/search/coded_queries.h"

enum {
    LEAST_QUERIES = 48, /* from so many on 8-bit products save more than coding the rows costs */
    MOST_WIDTH = 1024,  /* of the kernels' work space, on the stack */
    ROUNDS = 16         /* times VB_SCAN_CODED_ROWS rows before thresholds are read again */
};
static_assert(VB_SCAN_CODED_ROWS == 2 * VB_CODER_GROUP, "rows are screened in pairs of groups");

struct vb_scan_coded {
    vb_coder *coder;
    vb_coded_queries *queries;
    float *mean, *thresholds;
    uint8_t *groups;         /* two */
    vb_scan_block *block;    /* the one that is being searched */
    int64_t rows, at, round; /* its rows; the first of the pair of groups at hand */
    int64_t first_id;        /* of the block's rows */
};

bool vb_scan_coded_pays(int64_t queries, int64_t width) {
    return vb_scan_kernel_get()->encode && vb_isa_level() >= VB_VNNI && queries >= LEAST_QUERIES && width <= MOST_WIDTH;
}

size_t vb_scan_coded_bytes(int64_t queries, int dim) {
    return sizeof(vb_scan_coded) + MOST_WIDTH * sizeof(float) + vb_coded_queries_bytes(queries, dim) +
           (size_t)queries * sizeof(float) + 2 * vb_coder_group_bytes((dim + 63) / 64 * 64);
}

static void mean_of_rows(const vb_scan_block *block, int64_t rows, float *mean) {
    const vb_search *search = block->search;
    int64_t usual = 0;
    double sum[MOST_WIDTH] = {0};
    for (int64_t i = 0; i < rows; i++) {
        if (block->kind[i] != VB_ROW_ORDINARY) continue;
        const float *row = block->wide + i * search->width;
        for (int64_t k = 0; k < search->dim; k++) sum[k] += (double)row[k] * block->inverse[i];
        usual++;
    }
    for (int64_t k = 0; k < search->dim; k++) mean[k] = (float)(sum[k] / (double)(usual ? usual : 1));
}

int vb_scan_coded_new(vb_scan_coded **out, const vb_scan_block *block, int64_t n, vb_error *err) {
    const vb_search *search = block->search;
    assert(search->width <= MOST_WIDTH && n <= block->most);
    *out = NULL;
    size_t count = (size_t)search->count, dim = (size_t)search->dim;
    vb_scan_coded *coded = vb_array(1, sizeof *coded, "coded rows", err);
    float *packed = coded ? vb_array(count * dim, sizeof *packed, "coded queries", err) : NULL;
    int status = packed ? 0 : -1;
    if (!status && !(coded->mean = vb_array(MOST_WIDTH, sizeof(float), "coded rows", err))) status = -1;
    if (!status) mean_of_rows(block, n, coded->mean);
    for (size_t q = 0; !status && q < count; q++)
        memcpy(packed + q * dim, search->queries + q * (size_t)search->width, dim * sizeof *packed);
    if (!status) status = vb_coder_new_plain(&coded->coder, (int)dim, coded->mean, err);
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
    for (int64_t i = 0; i < n; i++) {
        double length = cosine ? 1 : sqrt(block->square[i]) * (1 + search->radius);
        widened[i] = (float)(0x1p-22 * (length + mean) + (cosine ? 2 * search->radius : 0) + VB_SEARCH_SMALLEST);
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
            block->kernel->encode(block->wide + at * search->width, block->inverse + at, widened + at, (int)count, search->width,
                                  coded->mean, width, coded->groups + (size_t)h * group);
        }
        if (coded->round++ % ROUNDS == 0)
            for (int64_t q = 0; q < search->count; q++)
                coded->thresholds[q] = vb_coded_queries_threshold(coded->queries, q, vb_search_floor(search, q));
        if (vb_coded_queries_screen(coded->queries, coded->thresholds, &groups, score_passed, coded, err)) return -1;
    }
    return 0;
}
