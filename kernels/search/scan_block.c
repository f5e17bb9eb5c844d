/* Rows at hand: norms with their error bounds, thresholds, exact scores. */
#include "kernels/search/scan_block.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/exact/exact.h"
#include "kernels/exact/round_outward.h"

int vb_scan_block_new(vb_scan_block *block, vb_search *search, int64_t most, vb_error *err) {
    assert(most >= 1 && most <= VB_SCAN_ROWS);
    *block = (vb_scan_block){.search = search, .kernel = vb_scan_kernel_get(), .most = most};
    block->rows = vb_buffer((size_t)(most * search->width), sizeof(float), "work space of a search", err);
    return block->rows ? vb_topk_new(&block->topk, search->count, search->k, err) : -1;
}

void vb_scan_block_free(vb_scan_block *block) {
    vb_topk_free(&block->topk);
    vb_free(block->rows);
    block->rows = NULL;
}

void vb_scan_block_begin(vb_scan_block *block, const void *stored, vb_dtype dtype, bool direct) {
    assert(!direct || (dtype == VB_F32 && block->search->dim == block->search->width));
    block->stored = stored;
    block->dtype = dtype;
    block->row_bytes = (size_t)block->search->dim * vb_dtype_size(dtype);
    block->wide = direct ? stored : block->rows;
}

static double norm_above(const vb_scan_block *block, double square) {
    return sqrt(square) * (1 + block->search->radius) + VB_SEARCH_SMALLEST / 2; /* which covers what underflowed */
}

/* A row whose squares are out of the ordinary: it is looked at element by element. */
static void note_unusual(vb_scan_block *block, int64_t i) {
    const float *row = block->wide + i * block->search->width;
    bool cosine = block->search->similarity == VB_COSINE;
    double exact = 0;
    for (int64_t k = 0; k < block->search->width; k++) exact += (double)row[k] * row[k];
    block->norm[i] = sqrt(exact) * (1 + 0x1p-30);
    if (exact == 0) block->counts.zero++;
    if (!isfinite(exact)) block->counts.not_finite++;
    if (!isfinite(exact) || (cosine && exact == 0)) block->kind[i] = VB_ROW_SKIPPED;
    else if (block->norm[i] > VB_SEARCH_LARGEST || cosine) block->kind[i] = VB_ROW_BEYOND;
}

/* Squares of rows that are ordinary without a closer look. */
static const float USUAL_MOST = (float)(VB_SEARCH_LARGEST * VB_SEARCH_LARGEST / 4),
                   USUAL_LEAST = (float)(VB_SEARCH_SMALLEST * VB_SEARCH_SMALLEST * 4);

void vb_scan_block_note(vb_scan_block *block, int64_t n) {
    assert(n >= 0 && n <= block->most);
    const vb_search *search = block->search;
    bool usual = true;
    float largest = 0;
    for (int64_t i = 0; i < n; i++) {
        usual &= block->square[i] <= USUAL_MOST && block->square[i] >= USUAL_LEAST;
        largest = block->square[i] > largest ? block->square[i] : largest;
    }
    if (!usual && block->wide == block->rows)
        block->kernel->widen(block->stored, block->dtype, n, search->dim, search->width, block->rows, block->square);
    block->counts.rows += n;
    memset(block->prepared, 0, sizeof block->prepared);
    memset(block->kind, 0, sizeof block->kind); /* VB_ROW_ORDINARY */
    for (int64_t i = 0; i < n && !usual; i++) {
        bool fine = block->square[i] <= USUAL_MOST && block->square[i] >= USUAL_LEAST;
        if (!i) largest = 0;
        if (!fine) note_unusual(block, i);
        if (block->kind[i] == VB_ROW_ORDINARY && block->square[i] > largest) largest = block->square[i];
    }
    block->largest = norm_above(block, largest);
    bool cosine = search->similarity == VB_COSINE;
    for (int64_t i = 0; i < n; i++)
        block->inverse[i] = cosine && block->kind[i] == VB_ROW_ORDINARY ? 1 / sqrtf(block->square[i]) : 1;
    block->unusual = !usual;
}

/* What an exact score needs of the row, which is widened by now or in this call. */
static const float *prepare_row(vb_scan_block *block, int64_t i) {
    const vb_search *search = block->search;
    const float *row = block->wide + i * search->width;
    if (block->prepared[i]) return row;
    if (block->wide == block->rows)
        block->kernel->widen(block->stored + (size_t)i * block->row_bytes, block->dtype, 1, search->dim, search->width,
                             block->rows + i * search->width, &block->square[i]);
    if (block->kind[i] == VB_ROW_ORDINARY) block->norm[i] = norm_above(block, block->square[i]);
    block->last_bit[i] = vb_search_last_bit(row, search->width);
    block->prepared[i] = true;
    return row;
}

/* x . y into *dot and *rest; whether that is exact. norms: an upper bound of |x| |y|. */
static bool exact_in_two(const vb_scan_block *block, const float *x, const float *y, double norms, int last_bits, double *dot,
                         double *rest) {
    block->kernel->pair(x, y, block->search->width, dot, rest);
    /* Products are multiples of 2^last_bits and add up to at most `norms` in magnitude, over any subset. The rounding errors of n
     * partial sums, multiples of the same unit, are at most n 2^-53 norms together: a double holds them exactly while that is
     * below 2^53 units. */
    return norms * (double)block->search->width <= ldexp(1, 104 + last_bits);
}

int vb_scan_block_offer(vb_scan_block *block, int64_t i, int64_t query, int64_t id, double *score, vb_error *err) {
    vb_search *search = block->search;
    assert(i >= 0 && i < block->most && query >= 0 && query < search->count);
    const float *q = search->queries + query * search->width, *row = prepare_row(block, i);
    int dim = (int)search->dim;
    bool cosine = search->similarity == VB_COSINE;
    vb_hit hit = {.id = id, .square = 1};
    block->counts.rescored++;
    bool exact = exact_in_two(block, row, q, block->norm[i] * search->norm[query], block->last_bit[i] + search->last_bit[query],
                              &hit.dot, &hit.dot_rest);
    if (cosine)
        exact &=
            exact_in_two(block, row, row, block->norm[i] * block->norm[i], 2 * block->last_bit[i], &hit.square, &hit.square_rest);
    if (!exact) {
        if (!(hit.wide = vb_array(2, sizeof *hit.wide, "exact scores", err))) return -1;
        vb_exact_dot(&hit.wide[0], row, q, dim);
        hit.dot = vb_exact_round(&hit.wide[0]);
        if (cosine) {
            vb_exact_dot(&hit.wide[1], row, row, dim);
            hit.square = vb_exact_round(&hit.wide[1]);
            hit.square_rest = NAN;
        } else vb_exact_sum(&hit.wide[1], (const double[]){1}, 1);
    }
    if (score) *score = vb_hit_score(&hit);
    vb_topk_offer(&block->topk, query, hit);
    const vb_hit *worst = vb_topk_worst(&block->topk, query);
    if (worst) {
        double least = vb_hit_score(worst);
        vb_search_raise(search, query, cosine ? least - 0x1p-48 * fabs(least) : least);
    }
    return 0;
}

/* Of the fp32 score of an ordinary row at hand. */
static double error_bound(const vb_scan_block *block, int64_t query) {
    const vb_search *search = block->search;
    double norm = search->similarity == VB_COSINE ? 1 : block->largest;
    return (norm * search->norm[query] * search->radius + search->constant) * VB_SEARCH_WIDEN;
}

float vb_scan_block_threshold(const vb_scan_block *block, int64_t query) {
    return vb_round_outward_down(vb_search_floor(block->search, query) - error_bound(block, query));
}

bool vb_scan_block_pass_over(vb_scan_block *block, int64_t n, const float *squares, const float *scores) {
    const vb_search *search = block->search;
    vb_scan_glance seen;
    if (!block->kernel->glance(squares, scores, n, search->count, search->similarity == VB_COSINE, USUAL_LEAST, USUAL_MOST,
                               &seen))
        return false;
    block->largest = norm_above(block, seen.largest);
    for (int64_t q = 0; q < search->count; q++) {
        const double floor = vb_search_floor(search, q), error = error_bound(block, q);
        /* Lower than the threshold, whose rounding takes a branch. */
        if (!(seen.best[q] < floor - error - 0x1p-20 * (fabs(floor) + error))) return false;
    }
    block->counts.rows += n;
    return true;
}

float vb_scan_block_slack(const vb_scan_block *block, int64_t query) {
    return vb_round_outward_up(2 * error_bound(block, query));
}
