/* The screened search: blocks of rows in cache against all queries, in fp32 or first in 8 bits, thresholds with their error
 * bounds, exact scores of what passes. */
#include "kernels/search/scan.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "kernels/search/coded_queries.h"
#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "kernels/search/scan_kernel.h"

enum {
    BLOCK_BYTES = 128 << 10, /* of widened rows: they stay in the second-level cache with a block of queries */
    STRIP = 6,        /* rows that are widened and multiplied in the first-level cache: a multiple of every kernel's tile */
    STRIPS_AHEAD = 2, /* a strip's memory is asked for while the second before it is multiplied */
    MOST_ROWS = 96,
    BLOCK_QUERIES = 128,
    CODED_QUERIES = 48, /* from so many on rows are coded as they pass by: 8-bit products are worth it */
    CODED_ROWS = 32,    /* at once: two groups */
    CODED_WIDTH = 1024, /* at most */
    CODED_LOOKS = 16    /* times CODED_ROWS rows between two looks at the thresholds */
};
/* Bounds are computed in fp64; widening them a little covers that. */
static const double WIDEN = 1 + 0x1p-10;
/* Within these norms no sum of products in fp32 overflows, and what sums of squares lose below the subnormal numbers is
 * negligible. */
static const double LARGEST = 0x1p60, SMALLEST = 0x1p-40;

struct vb_search {
    int64_t count, k, dim, width;
    vb_similarity similarity;
    float *queries;        /* count x width */
    double *norm;          /* of each, rounded up */
    int *last_bit;         /* no element of the query has a bit below 2^last_bit */
    _Atomic double *floor; /* the k-th best score is at least this */
    /* |fp32 product - x . q| <= |x| |q| radius + constant; for cosines |product / |x| - x . q / |x|| <= |q| radius + constant */
    double radius, constant;
};

enum row_kind { ORDINARY, SKIPPED, WILD /* finite, but beyond the bounds of the screen */ };

struct vb_scan {
    vb_search *search;
    const vb_scan_kernel *kernel;
    vb_topk topk;
    vb_scan_counts counts;
    int64_t block; /* rows */
    float *rows, *strip, *scores;
    float thresholds[BLOCK_QUERIES];
    int *hits; /* places in scores */
    /* for many queries */
    bool coded_blocks;
    vb_coder *coder;
    vb_coded_queries *coded;
    float *mean, *coded_thresholds;
    uint8_t *groups;
    int64_t coded_rows, looks, at, first_id; /* the block's rows, the first of the pair of groups among them and of all */
    /* of the rows of the block */
    const char *stored;
    vb_dtype dtype;
    size_t row_bytes;
    const float *wide; /* the rows widened: all, or, when it is `rows`, those that have been prepared */
    float square[MOST_ROWS], inverse[MOST_ROWS];
    enum row_kind kind[MOST_ROWS];
    double norm[MOST_ROWS]; /* rounded up; of prepared rows, and of those that are not ordinary */
    int last_bit[MOST_ROWS];
    bool prepared[MOST_ROWS];
    double largest; /* norm of the ordinary rows, rounded up */
    bool unusual;   /* not all of the rows are ordinary */
};

/* ---- the plain kernel
 * ----------------------------------------------------------------------------------------------------------- */

static void plain_products(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out,
                           int64_t ldout, const char *ahead, int64_t ahead_bytes) {
    (void)ahead;
    (void)ahead_bytes;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < queries; j++) {
            float lane[8] = {0};
            for (int64_t k = 0; k < width; k += 8)
                for (int l = 0; l < 8; l++) lane[l] += x[i * width + k + l] * q[j * width + k + l];
            out[i * ldout + j] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
        }
}

static void plain_widen(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out, float *squares) {
    for (int64_t i = 0; i < count; i++) {
        squares[i] = 0;
        for (int64_t k = 0; k < width; k++) {
            float x = 0;
            uint16_t half;
            if (k < dim && dtype == VB_F32) memcpy(&x, (const char *)rows + (i * dim + k) * 4, sizeof x);
            else if (k < dim) {
                memcpy(&half, (const char *)rows + (i * dim + k) * 2, sizeof half);
                x = dtype == VB_F16 ? vb_dtype_half_to_float(half) : vb_dtype_bf16_to_float(half);
            }
            if (out) out[i * width + k] = x;
            squares[i] += x * x;
        }
    }
}

static int plain_screen(const float *scores, int64_t ld, int64_t rows, const float *thresholds, int count, int *hits) {
    int found = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int i = 0; i < count; i++)
            if (scores[row * ld + i] >= thresholds[i]) hits[found++] = (int)(row * ld) + i;
    return found;
}

/* Knuth's sum without loss: a + b = *sum + returned error, exactly. */
static double two_sum(double a, double b, double *sum) {
    *sum = a + b;
    double back = *sum - a;
    return (a - (*sum - back)) + (b - back);
}

void vb_scan_kernel_join_pairs(const double sums[8], const double errors[8], double *sum, double *rest) {
    double s = 0, e = 0;
    for (int i = 0; i < 8; i++) {
        double lost = two_sum(s, sums[i], &s);
        e += lost + errors[i];
    }
    *rest = two_sum(s, e, sum);
}

static void plain_pair(const float *x, const float *q, int64_t width, double *sum, double *rest) {
    double s[8] = {0}, e[8] = {0};
    for (int64_t k = 0; k < width; k += 8)
        for (int l = 0; l < 8; l++) e[l] += two_sum(s[l], (double)x[k + l] * q[k + l], &s[l]);
    vb_scan_kernel_join_pairs(s, e, sum, rest);
}

static float plain_least(const float *x, int64_t width) {
    float least = INFINITY;
    for (int64_t k = 0; k < width; k++)
        if (x[k] != 0) least = fminf(least, fabsf(x[k]));
    return least;
}

static const vb_scan_kernel plain = {plain_products, NULL, plain_widen, plain_screen, NULL, plain_pair, plain_least};

const vb_scan_kernel *vb_scan_kernel_get(void) {
#if defined(__x86_64__)
    vb_isa level = vb_isa_level();
    if (level >= VB_AVX512) return &vb_scan_kernel_avx512;
    if (level == VB_AVX2) return &vb_scan_kernel_avx2;
#endif
    return &plain;
}

/* ---- queries
 * -------------------------------------------------------------------------------------------------------------------- */

static int64_t padded(int64_t dim) { return (dim + 15) / 16 * 16; }

/* The exponent of a float's last bit is 23 below its own, unless it is subnormal and even higher. */
static int last_bit_of(const vb_scan_kernel *kernel, const float *row, int64_t width) {
    float least = kernel->least(row, width);
    return isinf(least) ? 0 : ilogbf(least) - 23;
}

static int take_query(vb_search *search, int64_t q, const float *from, vb_error *err) {
    const vb_scan_kernel *kernel = vb_scan_kernel_get();
    float *row = search->queries + q * search->width;
    double square = 0;
    for (int64_t k = 0; k < search->dim; k++) {
        row[k] = from[k];
        square += (double)row[k] * row[k];
        if (!isfinite(row[k]))
            return vb_errorf(err, VB_EDATA, "query row %lld: element %lld is %s, expected a finite number", (long long)q,
                             (long long)k, isnan(row[k]) ? "NaN" : "infinite");
    }
    if (square == 0 && search->similarity == VB_COSINE)
        return vb_errorf(err, VB_EDATA, "query row %lld: all elements are zero, a cosine needs a direction", (long long)q);
    if (sqrt(square) > LARGEST)
        return vb_errorf(err, VB_EUNSUPPORTED, "query row %lld: its norm is %g, at most %g is handled", (long long)q,
                         sqrt(square), LARGEST);
    search->norm[q] = sqrt(square) * (1 + 0x1p-30);
    search->last_bit[q] = last_bit_of(kernel, row, search->width);
    atomic_init(&search->floor[q], -INFINITY);
    return 0;
}

int vb_scan_search_new(vb_search **out, const float *queries, int64_t count, int dim, int64_t k, vb_similarity similarity,
                       vb_error *err) {
    *out = NULL;
    if (dim < 1 || dim > VB_EXACT_TERMS)
        return vb_errorf(err, VB_EUNSUPPORTED, "queries of %d dimensions, expected 1 to %d", dim, VB_EXACT_TERMS);
    vb_search *search = vb_array(1, sizeof *search, "search", err);
    if (!search) return -1;
    *search = (vb_search){.count = count, .k = k, .dim = dim, .width = padded(dim), .similarity = similarity};
    search->queries = vb_array((size_t)(count * search->width), sizeof(float), "queries", err);
    search->norm = vb_array((size_t)count, sizeof(double), "queries", err);
    search->last_bit = vb_array((size_t)count, sizeof(int), "queries", err);
    search->floor = vb_array((size_t)count, sizeof *search->floor, "queries", err);
    if (!search->queries || !search->norm || !search->last_bit || !search->floor) goto fail;
    for (int64_t q = 0; q < count; q++)
        if (take_query(search, q, queries + q * dim, err)) goto fail;
    /* For cosines the row's norm in fp32, half as many roundings again, its inverse and the product with it. */
    double n = similarity == VB_COSINE ? 2.0 * dim + 16 : dim + 8.0, unit = 0x1p-24;
    search->radius = n * unit / (1 - n * unit) * WIDEN;
    search->constant = n * 0x1p-148 * (similarity == VB_COSINE ? 2 / SMALLEST : 1);
    *out = search;
    return 0;
fail:
    vb_scan_search_free(search);
    return -1;
}

void vb_scan_search_free(vb_search *search) {
    if (!search) return;
    vb_free(search->queries);
    vb_free(search->norm);
    vb_free(search->last_bit);
    vb_free((void *)search->floor);
    vb_free(search);
}

double vb_scan_search_floor(const vb_search *search, int64_t query) {
    return atomic_load_explicit(&search->floor[query], memory_order_relaxed);
}

void vb_scan_search_raise(vb_search *search, int64_t query, double score) {
    double known = vb_scan_search_floor(search, query);
    while (score > known && !atomic_compare_exchange_weak_explicit(&search->floor[query], &known, score, memory_order_relaxed,
                                                                   memory_order_relaxed)) {}
}

double vb_scan_search_score(const vb_search *search, int64_t query, const vb_hit *hit) {
    if (search->similarity == VB_DOT) return hit->dot;
    const float *q = search->queries + query * search->width;
    double square = 0;
    for (int64_t k = 0; k < search->dim; k++) square += (double)q[k] * q[k];
    return hit->dot / (sqrt(square) * sqrt(hit->square));
}

size_t vb_scan_search_bytes(int64_t queries, int dim) {
    return (size_t)queries * ((size_t)padded(dim) * sizeof(float) + sizeof(double) * 2 + sizeof(int));
}

/* ---- one thread's side
 * ---------------------------------------------------------------------------------------------------------- */

/* A multiple of `unit`, which divides MOST_ROWS. */
static int64_t block_rows(int64_t width, int64_t unit) {
    int64_t rows = BLOCK_BYTES / (width * (int64_t)sizeof(float)) / unit * unit;
    return rows < unit ? unit : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static bool codes_pay(const vb_scan_kernel *kernel, int64_t queries, int64_t width) {
    return kernel->encode && vb_isa_level() >= VB_VNNI && queries >= CODED_QUERIES && width <= CODED_WIDTH;
}

size_t vb_scan_bytes(int64_t queries, int dim, int64_t k) {
    bool coded = codes_pay(vb_scan_kernel_get(), queries, padded(dim));
    size_t rows = (size_t)block_rows(padded(dim), coded ? CODED_ROWS : STRIP);
    size_t work = (rows + STRIP) * (size_t)padded(dim) * sizeof(float) + rows * BLOCK_QUERIES * (sizeof(float) + sizeof(int));
    work += sizeof(vb_scan) + CODED_WIDTH * sizeof(float);
    if (coded)
        work += vb_coded_queries_bytes(queries, dim) + (size_t)queries * sizeof(float) +
                2 * vb_coder_group_bytes((dim + 63) / 64 * 64);
    return work + (size_t)queries * ((size_t)k * sizeof(vb_hit) + sizeof(int64_t));
}

int vb_scan_new(vb_scan **out, vb_search *search, vb_error *err) {
    *out = NULL;
    vb_scan *scan = vb_array(1, sizeof *scan, "search", err);
    if (!scan) return -1;
    *scan = (vb_scan){.search = search, .kernel = vb_scan_kernel_get()};
    scan->coded_blocks = codes_pay(scan->kernel, search->count, search->width);
    scan->block = block_rows(search->width, scan->coded_blocks ? CODED_ROWS : STRIP);
    scan->rows = vb_buffer((size_t)(scan->block * search->width), sizeof(float), "work space of a search", err);
    scan->strip = vb_buffer((size_t)(STRIP * search->width), sizeof(float), "work space of a search", err);
    scan->scores = vb_buffer((size_t)(scan->block * BLOCK_QUERIES), sizeof(float), "work space of a search", err);
    scan->hits = vb_buffer((size_t)(scan->block * BLOCK_QUERIES), sizeof(int), "work space of a search", err);
    scan->mean = vb_array(CODED_WIDTH, sizeof(float), "work space of a search", err);
    bool room = scan->rows && scan->strip && scan->scores && scan->hits && scan->mean;
    if (!room || vb_topk_new(&scan->topk, search->count, search->k, err)) {
        vb_scan_free(scan);
        return -1;
    }
    *out = scan;
    return 0;
}

void vb_scan_free(vb_scan *scan) {
    if (!scan) return;
    vb_topk_free(&scan->topk);
    vb_free(scan->rows);
    vb_free(scan->strip);
    vb_free(scan->scores);
    vb_free(scan->hits);
    vb_coded_queries_free(scan->coded);
    vb_coder_free(scan->coder);
    vb_free(scan->mean);
    vb_free(scan->coded_thresholds);
    vb_free(scan->groups);
    vb_free(scan);
}

vb_topk *vb_scan_topk(vb_scan *scan) { return &scan->topk; }
vb_scan_counts *vb_scan_counted(vb_scan *scan) { return &scan->counts; }

static double norm_above(const vb_scan *scan, double square) {
    return sqrt(square) * (1 + scan->search->radius) + SMALLEST / 2; /* which covers what underflowed */
}

/* A row whose squares are out of the ordinary: it is looked at element by element. */
static void note_unusual(vb_scan *scan, int64_t i) {
    const float *row = scan->wide + i * scan->search->width;
    bool cosine = scan->search->similarity == VB_COSINE;
    double exact = 0;
    for (int64_t k = 0; k < scan->search->width; k++) exact += (double)row[k] * row[k];
    scan->norm[i] = sqrt(exact) * (1 + 0x1p-30);
    if (exact == 0) scan->counts.zero++;
    if (!isfinite(exact)) scan->counts.not_finite++;
    if (!isfinite(exact) || (cosine && exact == 0)) scan->kind[i] = SKIPPED;
    else if (scan->norm[i] > LARGEST || cosine) scan->kind[i] = WILD;
}

static void widen_block(vb_scan *scan, int64_t n) {
    const vb_search *search = scan->search;
    scan->kernel->widen(scan->stored, scan->dtype, n, search->dim, search->width, scan->rows, scan->square);
}

/* Takes in the squares of n rows. */
static void note_rows(vb_scan *scan, int64_t n) {
    const float most = (float)(LARGEST * LARGEST / 4), least = (float)(SMALLEST * SMALLEST * 4);
    bool usual = true;
    float largest = 0;
    for (int64_t i = 0; i < n; i++) {
        usual &= scan->square[i] <= most && scan->square[i] >= least;
        largest = scan->square[i] > largest ? scan->square[i] : largest;
    }
    if (!usual && scan->wide == scan->rows) widen_block(scan, n);
    scan->counts.rows += n;
    memset(scan->prepared, 0, sizeof scan->prepared);
    memset(scan->kind, 0, sizeof scan->kind); /* ORDINARY */
    for (int64_t i = 0; i < n && !usual; i++) {
        bool fine = scan->square[i] <= most && scan->square[i] >= least;
        if (!i) largest = 0;
        if (!fine) note_unusual(scan, i);
        if (scan->kind[i] == ORDINARY && scan->square[i] > largest) largest = scan->square[i];
    }
    scan->largest = norm_above(scan, largest);
    bool cosine = scan->search->similarity == VB_COSINE;
    for (int64_t i = 0; i < n; i++) scan->inverse[i] = cosine && scan->kind[i] == ORDINARY ? 1 / sqrtf(scan->square[i]) : 1;
    scan->unusual = !usual;
}

/* What an exact score needs of the row, which is widened by now or in this call. */
static const float *prepare_row(vb_scan *scan, int64_t i) {
    const vb_search *search = scan->search;
    const float *row = scan->wide + i * search->width;
    if (scan->prepared[i]) return row;
    if (scan->wide == scan->rows)
        scan->kernel->widen(scan->stored + (size_t)i * scan->row_bytes, scan->dtype, 1, search->dim, search->width,
                            scan->rows + i * search->width, &scan->square[i]);
    if (scan->kind[i] == ORDINARY) scan->norm[i] = norm_above(scan, scan->square[i]);
    scan->last_bit[i] = last_bit_of(scan->kernel, row, search->width);
    scan->prepared[i] = true;
    return row;
}

/* x . y exactly into *dot, *rest, or wide. norms: an upper bound of |x| |y|. */
static bool narrow_product(const vb_scan *scan, const float *x, const float *y, double norms, int last_bits, double *dot,
                           double *rest) {
    scan->kernel->pair(x, y, scan->search->width, dot, rest);
    /* Products are multiples of 2^last_bits and add up to at most `norms` in magnitude, over any subset. The rounding errors of n
     * partial sums, multiples of the same unit, are at most n 2^-53 norms together: a double holds them exactly while that is
     * below
     * 2^53 units. */
    return norms * (double)scan->search->width <= ldexp(1, 104 + last_bits);
}

static int offer(vb_scan *scan, int64_t i, int64_t query, int64_t id, double *score, vb_error *err) {
    vb_search *search = scan->search;
    const float *q = search->queries + query * search->width, *row = prepare_row(scan, i);
    int dim = (int)search->dim;
    bool cosine = search->similarity == VB_COSINE;
    vb_hit hit = {.id = id, .square = 1};
    scan->counts.rescored++;
    bool exact = narrow_product(scan, row, q, scan->norm[i] * search->norm[query], scan->last_bit[i] + search->last_bit[query],
                                &hit.dot, &hit.dot_rest);
    if (cosine)
        exact &=
            narrow_product(scan, row, row, scan->norm[i] * scan->norm[i], 2 * scan->last_bit[i], &hit.square, &hit.square_rest);
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
    vb_topk_offer(&scan->topk, query, hit);
    const vb_hit *worst = vb_topk_worst(&scan->topk, query);
    if (worst) {
        double least = vb_hit_score(worst);
        vb_scan_search_raise(search, query, cosine ? least - 0x1p-48 * fabs(least) : least);
    }
    return 0;
}

static float float_below(double value) {
    float rounded = (float)value;
    return (double)rounded > value ? nextafterf(rounded, -INFINITY) : rounded;
}

/* What a fp32 score must reach to be of interest. */
static float threshold_of(const vb_scan *scan, int64_t query) {
    const vb_search *search = scan->search;
    double norm = search->similarity == VB_COSINE ? 1 : scan->largest;
    return float_below(vb_scan_search_floor(search, query) -
                       (norm * search->norm[query] * search->radius + search->constant) * WIDEN);
}

/* Scores in fp32 of the block's rows for queries first .. first + count - 1, strip by strip; for the first queries the squares,
 * too. */
static void score_block(vb_scan *scan, int64_t rows, int64_t first, int64_t count) {
    const vb_search *search = scan->search;
    const vb_scan_kernel *kernel = scan->kernel;
    bool direct = scan->wide != scan->rows;
    for (int64_t i = 0; i < rows; i += STRIP) {
        int64_t n = rows - i < STRIP ? rows - i : STRIP;
        const char *stored = scan->stored + (size_t)i * scan->row_bytes;
        if (!direct || !first)
            kernel->widen(stored, scan->dtype, n, search->dim, search->width, direct ? NULL : scan->strip, scan->square + i);
        kernel->products(direct ? scan->wide + i * search->width : scan->strip, n, search->queries + first * search->width, count,
                         search->width, scan->scores + i * BLOCK_QUERIES, BLOCK_QUERIES,
                         stored + (size_t)(STRIPS_AHEAD * STRIP) * scan->row_bytes, first ? 0 : STRIP * (int64_t)scan->row_bytes);
    }
}

/* What the screen must know of rows that are not ordinary. */
static void set_aside(vb_scan *scan, int64_t i, float *scores, int64_t apart, int64_t count) {
    if (scan->kind[i] == ORDINARY) return;
    for (int64_t q = 0; q < count; q++) scores[q * apart] = scan->kind[i] == WILD ? INFINITY : NAN;
}

/* Offers the rows of the block whose scores pass, for queries first .. first + count - 1. */
static int screen_block(vb_scan *scan, int64_t rows, int64_t first, int64_t count, int64_t first_id, vb_error *err) {
    bool cosine = scan->search->similarity == VB_COSINE;
    for (int64_t q = 0; q < count; q++) scan->thresholds[q] = threshold_of(scan, first + q);
    for (int64_t i = 0; i < rows && (cosine || scan->unusual); i++) {
        float *scores = scan->scores + i * BLOCK_QUERIES;
        for (int64_t q = 0; q < count && cosine; q++) scores[q] *= scan->inverse[i];
        set_aside(scan, i, scores, 1, count);
    }
    int found = scan->kernel->screen(scan->scores, BLOCK_QUERIES, rows, scan->thresholds, (int)count, scan->hits);
    for (int h = 0; h < found; h++) {
        int64_t i = scan->hits[h] / BLOCK_QUERIES, q = first + scan->hits[h] % BLOCK_QUERIES;
        if (offer(scan, i, q, first_id + i, NULL, err)) return -1;
    }
    return 0;
}

/* The same for few queries, scores being those that `few` gave: query by query. */
static int screen_few(vb_scan *scan, int64_t rows, int64_t first_id, vb_error *err) {
    const vb_search *search = scan->search;
    for (int64_t i = 0; i < rows && scan->unusual; i++) set_aside(scan, i, scan->scores + i, MOST_ROWS, search->count);
    for (int64_t q = 0; q < search->count; q++) {
        float *scores = scan->scores + q * MOST_ROWS, threshold = threshold_of(scan, q);
        for (int64_t i = 0; i < rows; i++) scan->thresholds[i] = threshold;
        if (search->similarity == VB_COSINE)
            for (int64_t i = 0; i < rows; i++) scores[i] *= scan->inverse[i];
        int found = scan->kernel->screen(scores, 0, 1, scan->thresholds, (int)rows, scan->hits);
        for (int h = 0; h < found; h++)
            if (offer(scan, scan->hits[h], q, first_id + scan->hits[h], NULL, err)) return -1;
    }
    return 0;
}

/* ---- many queries
 * ----------------------------------------------------------------------------------------------------------------- */

/* The rows of the block are coded in 8 bits (kernels/search/coder.h, unrotated, around the mean of the first rows seen) and
 * screened with the queries' codes; what their certified bounds leave is scored in fp32, and so on as ever. The bounds of codes
 * that are made in fp32: with f the factor (1, or the inverse norm), f x - m is off by 2^-24 (|f x| + |m|), and for cosines f by
 * `radius` relatively. */

static int open_codes(vb_scan *scan, int64_t rows, vb_error *err) {
    const vb_search *search = scan->search;
    int64_t usual = 0;
    double sum[CODED_WIDTH] = {0};
    for (int64_t i = 0; i < rows; i++) {
        if (scan->kind[i] != ORDINARY) continue;
        const float *row = scan->wide + i * search->width;
        for (int64_t k = 0; k < search->dim; k++) sum[k] += (double)row[k] * scan->inverse[i];
        usual++;
    }
    for (int64_t k = 0; k < search->dim; k++) scan->mean[k] = (float)(sum[k] / (double)(usual ? usual : 1));
    size_t count = (size_t)search->count;
    float *packed = vb_array(count * (size_t)search->dim, sizeof *packed, "coded queries", err);
    int status = packed ? 0 : -1;
    for (size_t q = 0; !status && q < count; q++)
        memcpy(packed + q * (size_t)search->dim, search->queries + q * (size_t)search->width,
               (size_t)search->dim * sizeof *packed);
    if (!status) status = vb_coder_new_plain(&scan->coder, (int)search->dim, scan->mean, err);
    if (!status) status = vb_coded_queries_new(&scan->coded, scan->coder, packed, search->count, err);
    if (!status) scan->coded_thresholds = vb_array(count, sizeof(float), "coded queries", err);
    if (!status) scan->groups = vb_buffer(2 * vb_coder_group_bytes(vb_coder_width(scan->coder)), 1, "coded rows", err);
    vb_free(packed);
    return !status && scan->coded_thresholds && scan->groups ? 0 : -1;
}

/* vb_passed: rows that the codes cannot exclude, in fp32. */
static int look_closer(void *context, int64_t q, unsigned pass, const uint8_t *group, const int32_t *first, int half,
                       vb_error *err) {
    vb_scan *scan = context;
    const vb_search *search = scan->search;
    const float *query = search->queries + q * search->width;
    float threshold = threshold_of(scan, q), score;
    (void)group, (void)first;
    for (; pass; pass &= pass - 1) {
        int64_t i = scan->at + half * VB_GROUP + __builtin_ctz(pass);
        if (i >= scan->coded_rows) return 0; /* missing rows pass while there is no threshold */
        scan->kernel->products(scan->wide + i * search->width, 1, query, 1, search->width, &score, 1, (const char *)query, 0);
        if (search->similarity == VB_COSINE) score *= scan->inverse[i];
        if (score >= threshold && offer(scan, i, q, scan->first_id + i, NULL, err)) return -1;
    }
    return 0;
}

/* All queries against the n rows of the block, which have been noted and are all ordinary. */
static int search_codes(vb_scan *scan, int64_t n, vb_error *err) {
    const vb_search *search = scan->search;
    int64_t width = vb_coder_width(scan->coder);
    size_t group = vb_coder_group_bytes((int)width);
    float mean = (float)vb_coder_mean_norm(scan->coder), widened[MOST_ROWS];
    const vb_coded_kernel *products = vb_coded_kernel_get();
    bool cosine = search->similarity == VB_COSINE;
    for (int64_t i = 0; i < n; i++) {
        double length = cosine ? 1 : sqrt(scan->square[i]) * (1 + search->radius);
        widened[i] = (float)(0x1p-22 * (length + mean) + (cosine ? 2 * search->radius : 0) + SMALLEST);
    }
    scan->coded_rows = n;
    for (scan->at = 0; scan->at < n; scan->at += CODED_ROWS) {
        int64_t rows = n - scan->at < CODED_ROWS ? n - scan->at : CODED_ROWS;
        int pair = rows > VB_GROUP ? 2 : 1;
        const char *ahead =
            scan->stored + (size_t)(scan->at + scan->block) * scan->row_bytes; /* the same rows of the next block */
        int64_t ahead_bytes = CODED_ROWS * (int64_t)scan->row_bytes;
        for (int h = 0; h < pair; h++) {
            int64_t at = scan->at + h * VB_GROUP, count = n - at < VB_GROUP ? n - at : VB_GROUP;
            scan->kernel->encode(scan->wide + at * search->width, scan->inverse + at, widened + at, (int)count, search->width,
                                 scan->mean, width, scan->groups + (size_t)h * group);
        }
        if (scan->looks++ % CODED_LOOKS == 0)
            for (int64_t q = 0; q < search->count; q++)
                scan->coded_thresholds[q] = vb_coded_queries_threshold(scan->coded, q, vb_scan_search_floor(search, q));
        if (vb_coded_queries_screen(scan->coded, products, scan->coded_thresholds, scan->groups, pair, ahead, ahead_bytes,
                                    look_closer, scan, err))
            return -1;
    }
    return 0;
}

int vb_scan_rows(vb_scan *scan, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err) {
    const vb_search *search = scan->search;
    const vb_scan_kernel *kernel = scan->kernel;
    bool aligned = search->dim == search->width && (uintptr_t)rows % vb_dtype_size(dtype) == 0,
         direct = dtype == VB_F32 && aligned;
    bool coded = scan->coded_blocks, few = kernel->few && aligned && search->count <= VB_FEW;
    scan->dtype = dtype;
    scan->row_bytes = (size_t)search->dim * vb_dtype_size(dtype);
    for (int64_t at = 0; at < count; at += scan->block) {
        int64_t n = count - at < scan->block ? count - at : scan->block;
        scan->stored = (const char *)rows + (size_t)at * scan->row_bytes;
        scan->wide = direct ? (const float *)rows + at * search->dim : scan->rows;
        if (few) {
            kernel->few(scan->stored, dtype, n, search->queries, search->count, search->width, scan->square, scan->scores,
                        MOST_ROWS);
            note_rows(scan, n);
            if (screen_few(scan, n, first_id + at, err)) return -1;
            continue;
        }
        if (coded) {
            kernel->widen(scan->stored, dtype, n, search->dim, search->width, direct ? NULL : scan->rows, scan->square);
            note_rows(scan, n);
            scan->first_id = first_id + at;
            if (!scan->coded && open_codes(scan, n, err)) return -1;
            if (!scan->unusual) {
                if (search_codes(scan, n, err)) return -1;
                continue;
            }
        }
        for (int64_t first = 0; first < search->count; first += BLOCK_QUERIES) {
            int64_t queries = search->count - first < BLOCK_QUERIES ? search->count - first : BLOCK_QUERIES;
            score_block(scan, n, first, queries);
            if (!first && !coded) note_rows(scan, n);
            if (screen_block(scan, n, first, queries, first_id + at, err)) return -1;
        }
    }
    return 0;
}

int vb_scan_row(vb_scan *scan, const void *row, vb_dtype dtype, int64_t id, const int64_t *queries, int64_t count, double *scores,
                vb_error *err) {
    const vb_search *search = scan->search;
    vb_scan_counts before = scan->counts;
    scan->stored = row;
    scan->dtype = dtype;
    scan->row_bytes = (size_t)search->dim * vb_dtype_size(dtype);
    scan->wide = scan->rows;
    widen_block(scan, 1);
    note_rows(scan, 1);
    scan->counts = before; /* which are of rows scanned, not of those looked at again */
    for (int64_t i = 0; i < count; i++) {
        double score = NAN;
        if (scan->kind[0] != SKIPPED && offer(scan, 0, queries[i], id, &score, err)) return -1;
        if (scores) scores[i] = score;
    }
    return 0;
}
