/* The screened search: blocks of rows in cache against all queries, in fp32 or first in 8 bits, and exact scores of what
 * passes. */
#include "kernels/search/scan.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/search/scan_block.h"
#include "kernels/search/scan_coded.h"
#include "kernels/search/scan_route.h"

enum {
    BLOCK_BYTES = 128 << 10, /* of widened rows: they stay in the second-level cache with a block of queries */
    STRIP = 6,        /* rows that are widened and multiplied in the first-level cache: a multiple of every kernel's tile */
    STRIPS_AHEAD = 2, /* a strip's memory is asked for while the second before it is multiplied */
    BLOCK_QUERIES = 128
};
static_assert(VB_SCAN_ROWS % STRIP == 0 && VB_SCAN_ROWS % VB_SCAN_CODED_ROWS == 0, "blocks are whole strips and whole pairs");
static_assert((int)VB_SCAN_ROWS <= (int)BLOCK_QUERIES, "few queries: a block's rows use the thresholds of a block of queries");
static_assert(2 * VB_SCAN_FEW * VB_SCAN_ROWS <= STRIP * BLOCK_QUERIES, "and two blocks' scores the room of the smallest block's");

struct vb_scan {
    vb_scan_block block;
    float *strip, *scores;
    float thresholds[BLOCK_QUERIES];
    int *hits;            /* places in scores */
    vb_scan_coded *coded; /* once rows have been seen */
};

/* A multiple of `unit`, which divides VB_SCAN_ROWS. */
static int64_t rows_of_block(int64_t width, int64_t unit) {
    int64_t rows = BLOCK_BYTES / (width * (int64_t)sizeof(float)) / unit * unit;
    return rows < unit ? unit : rows > VB_SCAN_ROWS ? VB_SCAN_ROWS : rows;
}

size_t vb_scan_bytes(int64_t queries, int dim, int64_t k) {
    size_t width = (size_t)vb_search_width(dim);
    bool coded = vb_scan_route_may_code(queries, (int64_t)width);
    int64_t in_codes = rows_of_block((int64_t)width, VB_SCAN_CODED_ROWS), as_they_are = rows_of_block((int64_t)width, STRIP);
    size_t rows = (size_t)(coded && in_codes > as_they_are ? in_codes : as_they_are);
    size_t work = (rows + STRIP) * width * sizeof(float) + rows * BLOCK_QUERIES * (sizeof(float) + sizeof(int));
    if (coded) work += vb_scan_coded_bytes(queries, dim);
    return sizeof(vb_scan) + work + (size_t)queries * ((size_t)k * sizeof(vb_hit) + sizeof(int64_t));
}

int vb_scan_new(vb_scan **out, vb_search *search, vb_error *err) {
    *out = NULL;
    vb_scan *scan = vb_array(1, sizeof *scan, "search", err);
    if (!scan) return -1;
    int64_t most = rows_of_block(search->width, search->codes_pay ? VB_SCAN_CODED_ROWS : STRIP);
    int status = vb_scan_block_new(&scan->block, search, most, err);
    if (!status) {
        scan->strip = vb_buffer((size_t)(STRIP * search->width), sizeof(float), "work space of a search", err);
        scan->scores = vb_buffer((size_t)(most * BLOCK_QUERIES), sizeof(float), "work space of a search", err);
        scan->hits = vb_buffer((size_t)(most * BLOCK_QUERIES), sizeof(int), "work space of a search", err);
        if (!scan->strip || !scan->scores || !scan->hits) status = -1;
    }
    if (status) vb_scan_free(scan);
    else *out = scan;
    return status;
}

void vb_scan_free(vb_scan *scan) {
    if (!scan) return;
    vb_scan_block_free(&scan->block);
    vb_scan_coded_free(scan->coded);
    vb_free(scan->strip);
    vb_free(scan->scores);
    vb_free(scan->hits);
    vb_free(scan);
}

struct vb_scan_block *vb_scan_its_block(vb_scan *scan) {
    return &scan->block;
}
vb_topk *vb_scan_topk(vb_scan *scan) { return &scan->block.topk; }
vb_scan_counts *vb_scan_counted(vb_scan *scan) { return &scan->block.counts; }

/* Scores in fp32 of the block's rows for queries first .. first + count - 1, strip by strip; for the first queries the squares,
 * too. */
static void score_block(vb_scan *scan, int64_t rows, int64_t first, int64_t count) {
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    const vb_scan_kernel *kernel = block->kernel;
    bool direct = block->wide != block->rows;
    for (int64_t i = 0; i < rows; i += STRIP) {
        int64_t n = rows - i < STRIP ? rows - i : STRIP;
        const char *stored = block->stored + (size_t)i * block->row_bytes;
        vb_scan_ahead ahead = {stored + (size_t)(STRIPS_AHEAD * STRIP) * block->row_bytes,
                               first ? 0 : STRIP * (int64_t)block->row_bytes};
        if (!direct || !first)
            kernel->widen(stored, block->dtype, n, search->dim, search->width, direct ? NULL : scan->strip, block->square + i);
        kernel->products(direct ? block->wide + i * search->width : scan->strip, n, search->queries + first * search->width,
                         count, search->width, scan->scores + i * BLOCK_QUERIES, BLOCK_QUERIES, ahead);
    }
}

/* What the screen must know of rows that are not ordinary. */
static void set_aside(const vb_scan_block *block, int64_t i, float *scores, int64_t apart, int64_t count) {
    if (block->kind[i] == VB_ROW_ORDINARY) return;
    for (int64_t q = 0; q < count; q++) scores[q * apart] = block->kind[i] == VB_ROW_BEYOND ? INFINITY : NAN;
}

/* Offers the rows of the block whose scores pass, for queries first .. first + count - 1. */
static int screen_block(vb_scan *scan, int64_t rows, int64_t first, int64_t count, int64_t first_id, vb_error *err) {
    vb_scan_block *block = &scan->block;
    bool cosine = block->search->similarity == VB_COSINE;
    for (int64_t q = 0; q < count; q++) scan->thresholds[q] = vb_scan_block_threshold(block, first + q);
    for (int64_t i = 0; i < rows && (cosine || block->unusual); i++) {
        float *scores = scan->scores + i * BLOCK_QUERIES;
        for (int64_t q = 0; q < count && cosine; q++) scores[q] *= block->inverse[i];
        set_aside(block, i, scores, 1, count);
    }
    int found = block->kernel->screen(scan->scores, BLOCK_QUERIES, rows, scan->thresholds, (int)count, scan->hits);
    for (int h = 0; h < found; h++) {
        int64_t i = scan->hits[h] / BLOCK_QUERIES, q = first + scan->hits[h] % BLOCK_QUERIES;
        if (vb_scan_block_offer(block, i, q, first_id + i, NULL, err)) return -1;
    }
    return 0;
}

/* The same for few queries, scores being those that `few` gave: query by query. */
static int screen_few(vb_scan *scan, float *scores, int64_t rows, int64_t first_id, vb_error *err) {
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    for (int64_t i = 0; i < rows && block->unusual; i++) set_aside(block, i, scores + i, VB_SCAN_ROWS, search->count);
    for (int64_t q = 0; q < search->count; q++, scores += VB_SCAN_ROWS) {
        float threshold = vb_scan_block_threshold(block, q);
        for (int64_t i = 0; i < rows; i++) scan->thresholds[i] = threshold;
        if (search->similarity == VB_COSINE)
            for (int64_t i = 0; i < rows; i++) scores[i] *= block->inverse[i];
        int found = block->kernel->screen(scores, 0, 1, scan->thresholds, (int)rows, scan->hits);
        for (int h = 0; h < found; h++)
            if (vb_scan_block_offer(block, scan->hits[h], q, first_id + scan->hits[h], NULL, err)) return -1;
    }
    return 0;
}

/* Rows for few queries: `sides` places, or the same one twice, with n rows each. */
typedef struct places {
    const void *rows[2];
    int64_t id[2]; /* of the first */
    int sides;
    vb_dtype dtype;
    int64_t n;
} places;

/* One pass gives the squares and all scores. */
static int search_few(vb_scan *scan, const places *at, vb_error *err) {
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    float squares[2 * VB_SCAN_ROWS];
    block->kernel->few(at->rows, at->dtype, at->n, search->queries, search->count, search->width, squares, scan->scores);
    for (int side = 0; side < at->sides; side++) {
        const float *its_squares = squares + side * VB_SCAN_ROWS;
        float *its_scores = scan->scores + side * VB_SCAN_FEW * VB_SCAN_ROWS;
        vb_scan_block_begin(block, at->rows[side], at->dtype, at->dtype == VB_F32);
        if (vb_scan_block_pass_over(block, at->n, its_squares, its_scores)) continue;
        memcpy(block->square, its_squares, (size_t)at->n * sizeof *its_squares);
        vb_scan_block_note(block, at->n);
        if (screen_few(scan, its_scores, at->n, at->id[side], err)) return -1;
    }
    return 0;
}

/* Blocks of the first half of the rows and blocks of the second together. */
static int search_halves(vb_scan *scan, const char *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err) {
    const int64_t half = count / 2, most = scan->block.most, row_bytes = scan->block.search->dim * (int64_t)vb_dtype_size(dtype);
    places both = {.sides = 2, .dtype = dtype};
    for (int64_t at = 0; at < half; at += most) {
        both.n = half - at < most ? half - at : most;
        for (int side = 0; side < 2; side++) {
            both.rows[side] = rows + (side * half + at) * row_bytes;
            both.id[side] = first_id + side * half + at;
        }
        if (search_few(scan, &both, err)) return -1;
    }
    if (count % 2 == 0) return 0;
    const char *last = rows + (count - 1) * row_bytes;
    both = (places){.rows = {last, last}, .id = {first_id + count - 1}, .sides = 1, .dtype = dtype, .n = 1};
    return search_few(scan, &both, err);
}

/* Many queries, in codes. *searched: false when some of the rows are not ordinary; then nothing but noting them was done. */
static int search_coded(vb_scan *scan, int64_t n, int64_t first_id, bool *searched, vb_error *err) {
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    bool direct = block->wide != block->rows;
    block->kernel->widen(block->stored, block->dtype, n, search->dim, search->width, direct ? NULL : block->rows, block->square);
    vb_scan_block_note(block, n);
    if (!scan->coded && vb_scan_coded_new(&scan->coded, block, n, err)) return -1;
    *searched = !block->unusual;
    return *searched ? vb_scan_coded_search(scan->coded, block, n, first_id, err) : 0;
}

int vb_scan_rows(vb_scan *scan, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err) {
    assert(count >= 0 && (dtype == VB_F32 || dtype == VB_F16 || dtype == VB_BF16));
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    size_t row_bytes = (size_t)search->dim * vb_dtype_size(dtype);
    bool aligned = search->dim == search->width && (uintptr_t)rows % vb_dtype_size(dtype) == 0;
    bool few = block->kernel->few && aligned && search->count <= (dtype == VB_F32 ? block->kernel->few_floats : VB_SCAN_FEW);
    if (few) return search_halves(scan, rows, dtype, count, first_id, err);
    for (int64_t at = 0; at < count; at += block->most) {
        int64_t n = count - at < block->most ? count - at : block->most;
        bool searched = false;
        vb_scan_block_begin(block, (const char *)rows + (size_t)at * row_bytes, dtype, dtype == VB_F32 && aligned);
        if (search->codes_pay && search_coded(scan, n, first_id + at, &searched, err)) return -1;
        for (int64_t first = 0; !searched && first < search->count; first += BLOCK_QUERIES) {
            int64_t queries = search->count - first < BLOCK_QUERIES ? search->count - first : BLOCK_QUERIES;
            score_block(scan, n, first, queries);
            if (!first && !search->codes_pay) vb_scan_block_note(block, n);
            if (screen_block(scan, n, first, queries, first_id + at, err)) return -1;
        }
    }
    return 0;
}

int vb_scan_row(vb_scan *scan, const void *row, vb_dtype dtype, int64_t id, const int64_t *queries, int64_t count, double *scores,
                vb_error *err) {
    vb_scan_block *block = &scan->block;
    const vb_search *search = block->search;
    vb_scan_counts before = block->counts;
    vb_scan_block_begin(block, row, dtype, false);
    block->kernel->widen(row, dtype, 1, search->dim, search->width, block->rows, block->square);
    vb_scan_block_note(block, 1);
    block->counts = before; /* which are of rows scanned, not of those looked at again */
    for (int64_t i = 0; i < count; i++) {
        double score = NAN;
        if (block->kind[0] != VB_ROW_SKIPPED && vb_scan_block_offer(block, 0, queries[i], id, &score, err)) return -1;
        if (scores) scores[i] = score;
    }
    return 0;
}
