/* Tests of the search of rows: lists against brute force in quadruple precision and in integers, at every instruction set
 * level. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/search/coder.h"
#include "kernels/search/scan.h"
#include "kernels/search/scan_coded.h"
#include "kernels/search/scan_route.h"
#include "tests/unit/search_reference.h"

/* What a search is asked for, and its lists by brute force: n times all rows that can be listed, best first. */
typedef struct asked_for {
    const void *rows;
    vb_dtype dtype;
    int64_t count;
    int dim;
    const float *queries;
    int64_t n, k;
    vb_similarity similarity;
    const scored *lists;
    const int64_t *listed; /* in each */
} asked_for;

/* At the level in use: two scans share the rows in pieces of odd sizes. by_codes: the route. */
static void search_and_compare(const asked_for *ask, bool by_codes) {
    vb_error err;
    vb_search *search;
    vb_scan *scan[2];
    size_t row_bytes = (size_t)ask->dim * vb_dtype_size(ask->dtype);
    assert_ok(vb_search_new(&search, ask->queries, ask->n, ask->dim, ask->k, ask->similarity, &err));
    search->codes_pay = by_codes;
    for (int s = 0; s < 2; s++) assert_ok(vb_scan_new(&scan[s], search, &err));
    for (int64_t at = 0, step = 1, s = 0; at < ask->count; at += step, step = (step * 7 + 3) % 301 + 1, s ^= 1) {
        int64_t piece = ask->count - at < step ? ask->count - at : step;
        char *copy = malloc((size_t)piece * row_bytes); /* exactly as large: the sanitizer sees a read beyond */
        memcpy(copy, (const char *)ask->rows + (size_t)at * row_bytes, (size_t)piece * row_bytes);
        assert_ok(vb_scan_rows(scan[s], copy, ask->dtype, piece, 1000 + at, &err));
        free(copy);
    }
    vb_topk *topk = vb_scan_topk(scan[0]);
    vb_topk_merge(topk, vb_scan_topk(scan[1]));
    vb_topk_sort(topk);
    for (int64_t q = 0; q < ask->n; q++) {
        const scored *list = ask->lists + q * ask->count;
        assert_int_equal(topk->count[q], ask->listed[q] < ask->k ? ask->listed[q] : ask->k);
        for (int64_t i = 0; i < topk->count[q]; i++) {
            const vb_hit *hit = &topk->hits[q * ask->k + i];
            if (hit->id != 1000 + list[i].id)
                fail_msg("%s, query %d, place %d: row %d instead of %d", vb_isa_name(vb_isa_level()), (int)q, (int)i,
                         (int)hit->id - 1000, (int)list[i].id);
            if (ask->similarity == VB_DOT) assert_true(vb_search_score(search, q, hit) == (double)list[i].score);
        }
    }
    assert_int_equal(vb_scan_counted(scan[0])->rows + vb_scan_counted(scan[1])->rows, ask->count);
    for (int s = 0; s < 2; s++) vb_scan_free(scan[s]);
    vb_search_free(search);
}

/* Every level against brute force; by either route where the queries are as many as codes are made for. */
static void compare(const void *rows, vb_dtype dtype, int64_t count, int dim, const float *queries, int64_t n, int64_t k,
                    vb_similarity similarity) {
    scored *lists = calloc((size_t)(n * count), sizeof *lists);
    int64_t *listed = calloc((size_t)n, sizeof *listed);
    asked_for ask = {rows, dtype, count, dim, queries, n, k, similarity, lists, listed};
    for (int64_t q = 0; q < n; q++) listed[q] = brute(rows, dtype, count, dim, queries + q * dim, similarity, lists + q * count);
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        if (vb_isa_level() != (vb_isa)level) continue;
        search_and_compare(&ask, false);
        if (vb_scan_route_may_code(n, vb_search_width(dim))) search_and_compare(&ask, true);
    }
    vb_isa_limit(VB_VNNI);
    free(lists);
    free(listed);
}

enum { MOST = 700, DIM = 150 };
static float rows32[MOST * DIM], queries[140 * DIM];
static uint16_t rows16[MOST * DIM];

static void random_rows(void) {
    static const int dims[] = {1, 7, 16, 33, 64, 150};
    srand(3);
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        int dim = dims[d], count = 300 + rand() % (MOST - 300);
        for (int i = 0; i < count * dim; i++) rows32[i] = uniform();
        for (int i = 0; i < 140 * dim; i++) queries[i] = uniform();
        for (int i = 0; i < count * dim; i++) rows16[i] = vb_dtype_float_to_half(rows32[i]);
        for (int i = 0; i < 60 * dim; i++) rows32[200 * dim + i] = rows32[i]; /* ties */
        for (int s = 0; s < 2; s++) {
            vb_similarity similarity = s ? VB_COSINE : VB_DOT;
            compare(rows32, VB_F32, count, dim, queries, d == 3 ? 139 : 1 + (int64_t)d, 5 + (int64_t)d * 20, similarity);
            compare(rows16, VB_F16, count, dim, queries, 3, 40, similarity);
            for (int i = 0; i < count * dim; i++) {
                uint32_t bits;
                memcpy(&bits, &rows32[i], 4);
                rows16[i] = (uint16_t)(bits >> 16);
            }
            compare(rows16, VB_BF16, count, dim, queries, 2, 40, similarity);
            for (int i = 0; i < count * dim; i++) rows16[i] = vb_dtype_float_to_half(rows32[i]);
        }
    }
}

/* Small integers: nearly everything is a tie, of different rows too. */
static void tied_rows(void) {
    srand(5);
    for (int i = 0; i < MOST * 12; i++) rows32[i] = (float)(rand() % 3 - 1);
    for (int i = 0; i < 6 * 12; i++) queries[i] = (float)(rand() % 3 - 1);
    for (int k = 0; k < 12; k++) queries[k] = 0; /* everything is a tie */
    compare(rows32, VB_F32, MOST, 12, queries, 6, 50, VB_DOT);
    for (int k = 0; k < 12; k++) queries[k] = 1;
    compare(rows32, VB_F32, MOST, 12, queries, 6, 50, VB_COSINE);
    compare(rows32, VB_F32, MOST, 12, queries, 6, MOST, VB_COSINE);
}

/* NaN, infinities, zeros, and norms that the fp32 screen cannot handle. */
static void unusual_rows(void) {
    srand(6);
    for (int i = 0; i < 200 * 20; i++) rows32[i] = uniform();
    for (int i = 0; i < 4 * 20; i++) queries[i] = uniform();
    rows32[5 * 20 + 3] = NAN, rows32[77 * 20] = INFINITY, rows32[199 * 20 + 19] = -INFINITY;
    memset(rows32 + 60 * 20, 0, 20 * sizeof *rows32);
    compare(rows32, VB_F32, 200, 20, queries, 4, 150, VB_DOT);
    compare(rows32, VB_F32, 200, 20, queries, 4, 250, VB_COSINE);
    /* Multiples by powers of two leave cosines alone; sums in 113 bits stay exact, for all terms have the same factor. */
    for (int k = 0; k < 20; k++) {
        rows32[8 * 20 + k] = rows32[9 * 20 + k] * 0x1p100f;
        rows32[3 * 20 + k] = rows32[9 * 20 + k] * 0x1p-70f;
        rows32[90 * 20 + k] = rows32[9 * 20 + k] * 0x1p-20f;
    }
    compare(rows32, VB_F32, 200, 20, queries, 4, 150, VB_COSINE);
    compare(rows32, VB_F32, 200, 20, queries, 4, 150, VB_DOT);
}

/* Of the rows that unusual_rows() left. */
static void counts_of_unusual_rows(void) {
    vb_error err;
    vb_search *search;
    vb_scan *scan;
    assert_ok(vb_search_new(&search, queries, 4, 20, 3, VB_DOT, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    assert_ok(vb_scan_rows(scan, rows32, VB_F32, 200, 0, &err));
    assert_int_equal(vb_scan_counted(scan)->not_finite, 3);
    assert_int_equal(vb_scan_counted(scan)->zero, 1);
    assert_true(vb_scan_counted(scan)->rescored < 4 * 200);
    vb_scan_free(scan);
    vb_search_free(search);
}

/* The same behind lists that are full, where few queries pass over most blocks at a glance: each such row must be seen. */
enum { LATE_ROWS = 640, LATE_WIDTH = 32, LATE_K = 3 };
static void late_unusual_rows(void) {
    srand(12);
    for (int i = 0; i < LATE_ROWS * LATE_WIDTH; i++) rows32[i] = uniform();
    for (int i = 0; i < 4 * LATE_WIDTH; i++) queries[i] = uniform();
    for (int k = 0; k < LATE_WIDTH; k++) {
        rows32[250 * LATE_WIDTH + k] *= 0x1p-60f;
        rows32[420 * LATE_WIDTH + k] = 0;
        rows32[611 * LATE_WIDTH + k] = 0x1p70f * rows32[7 * LATE_WIDTH + k];
    }
    rows32[310 * LATE_WIDTH] = INFINITY, rows32[500 * LATE_WIDTH + 3] = NAN;
    for (int i = 0; i < LATE_ROWS * LATE_WIDTH; i++) rows16[i] = vb_dtype_float_to_half(rows32[i]);
    for (int64_t n = 1; n <= 4; n++)
        for (int s = 0; s < 2; s++) {
            compare(rows32, VB_F32, LATE_ROWS, LATE_WIDTH, queries, n, LATE_K, s ? VB_COSINE : VB_DOT);
            compare(rows16, VB_F16, LATE_ROWS, LATE_WIDTH, queries, n, LATE_K, s ? VB_COSINE : VB_DOT);
        }
}

/* Of the rows that late_unusual_rows() left. */
static void counts_of_late_unusual_rows(void) {
    vb_error err;
    vb_search *search;
    vb_scan *scan;
    assert_ok(vb_search_new(&search, queries, 1, LATE_WIDTH, LATE_K, VB_DOT, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    assert_ok(vb_scan_rows(scan, rows32, VB_F32, LATE_ROWS, 0, &err));
    assert_int_equal(vb_scan_counted(scan)->rows, LATE_ROWS);
    assert_int_equal(vb_scan_counted(scan)->not_finite, 2);
    assert_int_equal(vb_scan_counted(scan)->zero, 1);
    assert_true(vb_scan_counted(scan)->rescored < LATE_ROWS / 4);
    vb_scan_free(scan);
    vb_search_free(search);
}

/* So many queries that rows are coded as they pass by: CLIP-like rows around a large mean, ties, rows in between that are not
 * ordinary, and widths up to and beyond what is coded. */
static void many_queries(void) {
    static const int dims[] = {5, 64, 150, 520, 1030};
    enum { QUERIES = 49 };
    srand(8);
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        int dim = dims[d], count = d < 3 ? 300 : 200;
        float *rows = malloc((size_t)(count * dim) * sizeof *rows), *asked = malloc((size_t)(QUERIES * dim) * sizeof *asked);
        uint16_t *halves = malloc((size_t)(count * dim) * sizeof *halves);
        for (int i = 0; i < count * dim; i++) {
            float x = uniform() * 0.06f + (i % dim == 3 ? 0.63f : 0);
            rows[i] = rand() % 40 ? x : x * 8;
        }
        memcpy(rows + (count - 50) * dim, rows, (size_t)(40 * dim) * sizeof *rows);
        for (int i = 0; i < QUERIES * dim; i++) asked[i] = uniform();
        memcpy(asked, rows + 7 * dim, (size_t)dim * sizeof *asked); /* one that is itself a row */
        for (int unusual = 0; unusual < 2; unusual++) {
            for (int i = 0; i < count * dim; i++) halves[i] = vb_dtype_float_to_half(rows[i]);
            for (int s = 0; s < 2; s++) {
                compare(rows, VB_F32, count, dim, asked, QUERIES, 20, s ? VB_COSINE : VB_DOT);
                if (!s) compare(halves, VB_F16, count, dim, asked, QUERIES, count, VB_DOT);
            }
            rows[100 * dim + 2] = NAN;
            memset(rows + 130 * dim, 0, (size_t)dim * sizeof *rows);
            for (int k = 0; k < dim; k++) rows[131 * dim + k] *= 0x1p-12f, rows[132 * dim + k] *= 0x1p6f;
        }
        free(rows);
        free(asked);
        free(halves);
    }
}

/* Rows that differ in a last bit here and there: fp32 sums are off by more than their scores differ. */
static void near_ties(void) {
    srand(8);
    for (int k = 0; k < 64; k++) rows32[k] = uniform();
    for (int i = 1; i < 600; i++) {
        memcpy(rows32 + i * 64, rows32, 64 * sizeof *rows32);
        for (int n = 0; n < 3; n++) {
            float *x = &rows32[i * 64 + rand() % 64];
            *x = nextafterf(*x, rand() % 2 ? 2 : -2);
        }
    }
    for (int i = 0; i < 9 * 64; i++) queries[i] = uniform();
    compare(rows32, VB_F32, 600, 64, queries, 9, 30, VB_DOT);
    compare(rows32, VB_F32, 600, 64, queries, 2, 30, VB_DOT);
    compare(rows32, VB_F32, 600, 64, queries, 9, 30, VB_COSINE);
    compare(rows32, VB_F32, 600, 64, queries, 2, 30, VB_COSINE);
}

/* The best row scores 64 in fp32, whatever the lanes: each of its small terms is lost beside a one. That is below the best known
 * score, and it is long, while those behind it in its block are short. */
static void long_rows_before_short_ones(void) {
    enum { COUNT = 92, ONES = 64, WIDEST = 1024 };
    static const struct {
        int dim, best; /* in a block of few rows, and in one that is large enough to be passed over at a glance */
    } cases[] = {{1000, 4}, {WIDEST, 4}, {WIDEST, 13}};
    static float asked[WIDEST];
    for (int k = 0; k < WIDEST; k++) asked[k] = 1;
    for (size_t w = 0; w < sizeof cases / sizeof *cases; w++) {
        const int dim = cases[w].dim, best = cases[w].best;
        memset(rows32, 0, sizeof rows32);
        for (int i = 0; i < COUNT; i++) rows32[i * dim] = 0x1p-20f;
        for (int k = 0; k < dim; k++) rows32[best * dim + k] = k < ONES ? 1 : 0.4f * 0x1p-23f;
        for (int k = 0; k < ONES; k++) rows32[k] = 1;
        rows32[ONES] = 3e-5f;
        compare(rows32, VB_F32, COUNT, dim, asked, 1, 1, VB_DOT);
    }
}

/* Pairs of rows whose sums of 2^57 differ by 2^-46, the unit of their products: what pairs of doubles lose in between is more. */
static void units_that_two_doubles_lose(void) {
    enum { COUNT = 40, WIDTH = 1536, LARGE = 8 };
    static float asked[WIDTH], rows[COUNT * WIDTH];
    srand(21);
    for (int k = 0; k < WIDTH; k++) {
        asked[k] = (k < LARGE ? 0x1p27f : 1) * (1 + (float)(2 * (rand() % 300000) + 1) * 0x1p-23f);
        for (int i = 0; i < COUNT; i += 2)
            rows[i * WIDTH + k] = rows[(i + 1) * WIDTH + k] =
                (k < LARGE ? 0x1p27f : 1) * (1 + (float)(2 * (rand() % 300000) + 1) * 0x1p-23f);
    }
    asked[LARGE] = 1 + 0x1p-23f;
    asked[WIDTH - 1] = 1;
    for (int i = 1; i < COUNT; i += 2) {
        rows[i * WIDTH + LARGE] += 0x1p-23f;
        rows[(i + 1) * WIDTH - 1] -= 0x1p-23f;
    }
    compare(rows, VB_F32, COUNT, WIDTH, asked, 1, COUNT, VB_DOT);
}

/* Sums that no pair of doubles holds: 2^58 + j + t 2^-66 has the order of (j, t). */
static void rows_of_all_magnitudes(void) {
    vb_error err;
    enum { COUNT = 64 };
    float rows[COUNT * 4], ones[4] = {1, 1, 1, 1};
    for (int i = 0; i < COUNT; i++) {
        float row[4] = {0x1p58f, (float)(i * 5 % 8), 0, (float)(i / 8 * 3 % 4) * 0x1p-66f};
        memcpy(rows + i * 4, row, sizeof row);
    }
    vb_search *search;
    vb_scan *scan;
    assert_ok(vb_search_new(&search, ones, 1, 4, COUNT, VB_DOT, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    assert_ok(vb_scan_rows(scan, rows, VB_F32, COUNT, 0, &err));
    vb_topk *topk = vb_scan_topk(scan);
    vb_topk_sort(topk);
    assert_int_equal(topk->count[0], COUNT);
    for (int i = 0; i < COUNT; i++) {
        const vb_hit *hit = &topk->hits[i], *next = hit + 1;
        assert_true(hit->dot == 0x1p58);
        if (i + 1 == COUNT) break;
        int64_t key = hit->id * 5 % 8 * 4 + hit->id / 8 * 3 % 4, after = next->id * 5 % 8 * 4 + next->id / 8 * 3 % 4;
        assert_true(key > after || (key == after && hit->id < next->id));
    }
    vb_scan_free(scan);
    vb_search_free(search);
}

static void lists_equal_brute_force(void **state) {
    (void)state;
    random_rows();
}
static void ties_go_by_row(void **state) {
    (void)state;
    tied_rows();
}
static void rows_that_are_not_ordinary(void **state) {
    (void)state;
    unusual_rows();
    each_level(counts_of_unusual_rows);
}
static void rows_that_are_not_ordinary_behind_full_lists(void **state) {
    (void)state;
    late_unusual_rows();
    each_level(counts_of_late_unusual_rows);
}
static void differences_below_the_error_of_fp32(void **state) {
    (void)state;
    near_ties();
    long_rows_before_short_ones();
}
static void order_needs_more_than_two_doubles(void **state) {
    (void)state;
    each_level(rows_of_all_magnitudes);
    units_that_two_doubles_lose();
}

static void rows_are_coded_for_many_queries(void **state) {
    (void)state;
    many_queries();
}

/* Groups of codes, byte for byte what the definition makes, at every level: whole and part groups, widths that are padded, with
 * and without factors, rows of zeros. */
static void codes_are_the_same_at_every_level(void **state) {
    (void)state;
    static const int widths[] = {16, 64, 144, 512, 1024};
    enum { MOST_WIDTH = 1024 };
    static float x[VB_CODER_GROUP * MOST_WIDTH], stretch[MOST_WIDTH], mean[MOST_WIDTH];
    static uint8_t expected[VB_CODER_GROUP * MOST_WIDTH + 192], found[sizeof expected];
    float factors[VB_CODER_GROUP], widened[VB_CODER_GROUP];
    srand(9);
    for (int trial = 0; trial < 20; trial++) {
        int width = widths[trial % 5], count = trial % 3 ? VB_CODER_GROUP : trial % 15 + 1;
        const vb_scan_map map = {.stretch = stretch, .mean = mean, .width = (width + 63) / 64 * 64};
        size_t bytes = vb_coder_group_bytes((int)map.width);
        for (int i = 0; i < VB_CODER_GROUP * width; i++) x[i] = i / width == 2 ? 0 : uniform() * (rand() % 9 ? 1 : 20);
        for (int k = 0; k < map.width; k++) {
            stretch[k] = k < width ? ldexpf(1, rand() % 11 - 4) : 0;
            mean[k] = k < width && trial % 4 ? uniform() : 0;
        }
        for (int i = 0; i < VB_CODER_GROUP; i++) factors[i] = 0.3f + (float)i * 0.07f, widened[i] = (float)i * 0x1p-20f;
        vb_scan_kernel_scalar.encode(x, trial & 1 ? factors : NULL, widened, count, width, &map, expected);
        const float *numbers = (const float *)(const void *)(expected + VB_CODER_GROUP * map.width);
        for (int i = 0; i < count; i++) { /* the definition against what it promises, in double precision */
            double left = 0, coded = 0;
            for (int k = 0; k < map.width; k++) {
                double c = expected[k / 4 * 64 + i * 4 + k % 4] - 128.0, f = trial & 1 ? factors[i] : 1;
                double u = f * (k < width ? x[i * width + k] : 0) * stretch[k] - mean[k];
                assert_true(fabs(c) <= 127 && fabs(u - c * numbers[i]) <= numbers[i] * 0.501);
                left += (u - c * numbers[i]) * (u - c * numbers[i]);
                coded += c * c;
            }
            assert_true(numbers[16 + i] >= sqrt(left) * (1 - 0x1p-18) && numbers[16 + i] <= sqrt(left) * 1.001 + 2e-5);
            assert_true(numbers[32 + i] >= sqrt(coded) * numbers[i] && numbers[32 + i] <= sqrt(coded) * numbers[i] * 1.001);
        }
        for (int i = count; i < VB_CODER_GROUP; i++) assert_true(numbers[16 + i] == -INFINITY);
        for (int level = VB_AVX2; level < VB_ISA_LEVELS; level++) {
            vb_isa_limit((vb_isa)level);
            memset(found, 7, sizeof found);
            vb_scan_kernel_get()->encode(x, trial & 1 ? factors : NULL, widened, count, width, &map, found);
            assert_memory_equal(found, expected, bytes);
        }
    }
    vb_isa_limit(VB_VNNI);
}

/* Few queries and scalar code never go by codes, nor do rows too wide for them; the others by what is faster. */
static void route_is_chosen(void **state) {
    (void)state;
    vb_error err;
    vb_search *search;
    static float asked[64 * 1040];
    srand(10);
    for (int i = 0; i < 64 * 1040; i++) asked[i] = uniform();
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        assert_ok(vb_search_new(&search, asked, 2, 512, 1, VB_DOT, &err));
        assert_false(search->codes_pay);
        vb_search_free(search);
        assert_ok(vb_search_new(&search, asked, 64, 1040, 1, VB_DOT, &err));
        assert_false(search->codes_pay);
        vb_search_free(search);
        assert_ok(vb_search_new(&search, asked, 64, 512, 1, VB_DOT, &err));
        if (vb_isa_level() == VB_SCALAR) assert_false(search->codes_pay);
        if (vb_isa_level() == VB_VNNI && !getenv("VOCABENCH_TEST_EMULATED"))
            assert_true(search->codes_pay); /* twice as fast, whatever else runs */
        vb_search_free(search);
    }
    vb_isa_limit(VB_VNNI);
}

static void one_row_at_a_time(void **state) {
    (void)state;
    vb_error err;
    vb_search *search;
    vb_scan *scan;
    float q[8] = {1, 2, 0, -1}, row[4] = {3, 1, 9, 2}, broken[4] = {1, NAN, 0, 0};
    double scores[2];
    q[4] = 2;
    assert_ok(vb_search_new(&search, q, 2, 4, 5, VB_DOT, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    static const int64_t both[] = {1, 0};
    assert_ok(vb_scan_row(scan, row, VB_F32, 17, both, 2, scores, &err));
    assert_true(scores[0] == 6 && scores[1] == 3);
    assert_ok(vb_scan_row(scan, broken, VB_F32, 18, both, 2, scores, &err));
    assert_true(isnan(scores[0]) && isnan(scores[1]));
    assert_int_equal(vb_scan_topk(scan)->count[0], 1);
    assert_int_equal(vb_scan_topk(scan)->hits[0].id, 17);
    vb_scan_free(scan);
    vb_search_free(search);
}

static void bad_queries(void **state) {
    (void)state;
    vb_error err;
    vb_search *search;
    float q[6] = {1, 2, 3, 0, 0, 0}, many[16 * 3];
    assert_int_equal(vb_search_new(&search, q, 2, 3, 1, VB_COSINE, &err), -1);
    assert_string_equal(err.text, "query row 1: all elements are zero, a cosine needs a direction");
    q[4] = NAN;
    assert_int_equal(vb_search_new(&search, q, 2, 3, 1, VB_DOT, &err), -1);
    assert_int_equal(err.code, VB_EDATA);
    assert_string_equal(err.text, "query row 1: element 1 is NaN, expected a finite number");
    q[4] = 3e30f;
    assert_int_equal(vb_search_new(&search, q, 2, 3, 1, VB_DOT, &err), -1);
    assert_int_equal(err.code, VB_EUNSUPPORTED);
    assert_int_equal(vb_search_new(&search, q, 1, 0, 1, VB_DOT, &err), -1);
    for (int i = 0; i < 16 * 3; i++) many[i] = (float)(i % 7 + 1);
    for (int n = 1;; n++) { /* so many queries that the choice of a route has its turn */
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_scan *scan = NULL;
        vb_fault_setup(fault, 0);
        search = NULL;
        int failed = vb_search_new(&search, many, 16, 3, 1, VB_DOT, &err) || vb_scan_new(&scan, search, &err);
        vb_fault_setup(NULL, 0);
        vb_scan_free(scan);
        vb_search_free(search);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        assert_true(n < 40);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_equal_brute_force),
                                       cmocka_unit_test(ties_go_by_row),
                                       cmocka_unit_test(rows_that_are_not_ordinary),
                                       cmocka_unit_test(rows_that_are_not_ordinary_behind_full_lists),
                                       cmocka_unit_test(rows_are_coded_for_many_queries),
                                       cmocka_unit_test(codes_are_the_same_at_every_level),
                                       cmocka_unit_test(route_is_chosen),
                                       cmocka_unit_test(differences_below_the_error_of_fp32),
                                       cmocka_unit_test(order_needs_more_than_two_doubles),
                                       cmocka_unit_test(one_row_at_a_time),
                                       cmocka_unit_test(bad_queries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
