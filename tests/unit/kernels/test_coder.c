/* Tests of 8-bit codes: integers at every level, norms that cover what they claim to, lists equal to brute force, foreign codes
 * found out. */
#include <math.h>

#include "kernels/search/coded_kernel.h"
#include "kernels/search/coded_scan.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "tests/unit/search_reference.h"

enum { MOST = 3000, DIM = 100, ASKING = 130 };
static float rows[MOST * DIM], queries[ASKING * DIM], mean[DIM];

/* Like CLIP's: one large coordinate that all share, small differences. */
static void fill(int count, int dim) {
    for (int k = 0; k < dim; k++) mean[k] = k == 3 ? 0.6f : 0.01f;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < dim; k++) rows[i * dim + k] = mean[k] + 0.05f * uniform();
    for (int i = 0; i < 40; i++)
        for (int k = 0; k < dim; k++) queries[i * dim + k] = mean[k] + 0.05f * uniform();
}

/* ---- the integers
 * --------------------------------------------------------------------------------------------------------------- */

static void check_products(void) {
    enum { WIDTH = 192 };
    static uint8_t codes[2 * (VB_CODER_GROUP * WIDTH + 192)];
    int8_t panel[VB_CODED_PANEL * WIDTH];
    int32_t out[VB_CODED_PANEL * VB_CODED_PAIR], offsets[VB_CODED_PANEL];
    size_t stride = vb_coder_group_bytes(WIDTH);
    const vb_coded_kernel *kernel = vb_coded_kernel_get();
    for (int trial = 0; trial < 3; trial++) {
        /* random, then the extremes, which would saturate sums of 16 bits */
        for (size_t i = 0; i < sizeof codes; i++) codes[i] = trial ? 255 : (uint8_t)rand();
        for (int i = 0; i < VB_CODED_PANEL * WIDTH; i++)
            panel[i] = (int8_t)(trial == 1 ? kernel->most :
                                trial      ? -kernel->most :
                                             rand() % (2 * kernel->most + 1) - kernel->most);
        for (int i = 0; i < VB_CODED_PANEL; i++) offsets[i] = rand() % 1000000 - 500000;
        for (int groups = 1; groups <= 2; groups++)
            for (int n = 1; n <= VB_CODED_PANEL; n++) {
                kernel->products(codes, stride, groups, panel, n, offsets, WIDTH, out);
                for (int q = 0; q < n; q++)
                    for (int r = 0; r < groups * VB_CODER_GROUP; r++) {
                        int32_t sum = -offsets[q];
                        for (int k = 0; k < WIDTH; k++)
                            sum += codes[(size_t)(r / VB_CODER_GROUP) * stride +
                                         (size_t)(k / 4 * 64 + r % VB_CODER_GROUP * 4 + k % 4)] *
                                   panel[(k / 4 * n + q) * 4 + k % 4];
                        assert_int_equal(out[q * VB_CODED_PAIR + r], sum);
                    }
            }
    }
}

static void check_screen(void) {
    const vb_coded_kernel *kernel = vb_coded_kernel_get();
    int32_t products[VB_CODED_PANEL * VB_CODED_PAIR];
    float numbers[3 * VB_CODER_GROUP], alpha[VB_CODED_PANEL], beta[VB_CODED_PANEL], thresholds[VB_CODED_PANEL];
    uint16_t pass[VB_CODED_PANEL];
    for (int trial = 0; trial < 200; trial++) {
        int panel = 1 + trial % VB_CODED_PANEL;
        unsigned joined = 0;
        for (int i = 0; i < VB_CODER_GROUP; i++) { /* small integers: no rounding */
            numbers[i] = (float)(rand() % 5), numbers[VB_CODER_GROUP + i] = (float)(rand() % 9),
            numbers[2 * VB_CODER_GROUP + i] = (float)(rand() % 9);
            if (i == trial % 16) numbers[VB_CODER_GROUP + i] = INFINITY;
            if (i == trial % 13) numbers[VB_CODER_GROUP + i] = -INFINITY;
        }
        for (int q = 0; q < panel; q++) {
            alpha[q] = (float)(1 + rand() % 4), beta[q] = (float)(rand() % 4), thresholds[q] = (float)(rand() % 3000);
            for (int i = 0; i < VB_CODER_GROUP; i++) products[q * VB_CODED_PAIR + i] = rand() % 2000 - 1000;
        }
        unsigned any = kernel->screen(products, numbers, panel, alpha, beta, thresholds, pass);
        for (int q = 0; q < panel; q++)
            for (int i = 0; i < VB_CODER_GROUP; i++) {
                float upper = numbers[i] * (float)products[q * VB_CODED_PAIR + i] + alpha[q] * numbers[VB_CODER_GROUP + i] +
                              beta[q] * numbers[2 * VB_CODER_GROUP + i];
                assert_int_equal(pass[q] >> i & 1, upper >= thresholds[q]);
                joined |= (unsigned)pass[q];
            }
        assert_int_equal(any, joined);
    }
}

static void integers_are_the_same_at_every_level(void **state) {
    (void)state;
    srand(1);
    each_level(check_products);
    each_level(check_screen);
}

/* ---- the coder
 * ------------------------------------------------------------------------------------------------------------------ */

static void rotation_keeps_inner_products(void **state) {
    (void)state;
    vb_error err;
    static const int dims[] = {1, 64, 100, 300, 512, 1024};
    srand(2);
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        int dim = dims[d];
        float *zero = calloc((size_t)dim, sizeof *zero);
        vb_coder *coder;
        assert_ok(vb_coder_new(&coder, dim, zero, 5, VB_DOT, &err));
        int width = vb_coder_width(coder);
        double *x = calloc((size_t)width * 3, sizeof *x), *y = x + width, *work = y + width, before[3] = {0}, after[3] = {0},
               most = 0;
        for (int k = 0; k < dim; k++) x[k] = uniform(), y[k] = k == 0;
        for (int k = 0; k < width; k++) before[0] += x[k] * x[k], before[1] += x[k] * y[k], before[2] += y[k] * y[k];
        vb_coder_rotate(coder, x, work);
        vb_coder_rotate(coder, y, work);
        for (int k = 0; k < width; k++)
            after[0] += x[k] * x[k], after[1] += x[k] * y[k], after[2] += y[k] * y[k], most = fmax(most, fabs(y[k]));
        for (int i = 0; i < 3; i++) assert_true(fabs(before[i] - after[i]) < 1e-13 * (before[0] + before[2]));
        assert_true(most <= 0.125); /* a single coordinate is spread over 64 at least */
        free(x);
        free(zero);
        vb_coder_free(coder);
    }
}

/* What is left of every row is no more than its residual states, nor much less; for all element types and both similarities. */
static void residuals_cover_what_is_left(void **state) {
    (void)state;
    vb_error err;
    static uint8_t group[VB_CODER_GROUP * 128 + 192];
    static const vb_dtype dtypes[] = {VB_F32, VB_F16, VB_BF16};
    double work[256], v[128];
    uint16_t half[VB_CODER_GROUP * DIM];
    srand(3);
    fill(VB_CODER_GROUP, DIM);
    for (int t = 0; t < 6; t++) {
        vb_dtype dtype = dtypes[t % 3];
        vb_similarity similarity = t < 3 ? VB_DOT : VB_COSINE;
        vb_coder *coder;
        int64_t not_finite = 0, zero = 0;
        assert_ok(vb_coder_new(&coder, DIM, mean, 9, similarity, &err));
        assert_int_equal(vb_coder_width(coder), 128);
        assert_int_equal(vb_coder_group_bytes(128), sizeof group);
        for (int i = 0; i < VB_CODER_GROUP * DIM; i++) {
            uint32_t bits;
            memcpy(&bits, &rows[i], 4);
            half[i] = dtype == VB_F16 ? vb_dtype_float_to_half(rows[i]) : (uint16_t)(bits >> 16);
        }
        vb_coder_encode(coder, dtype == VB_F32 ? (void *)rows : half, dtype, 11, group, work, &not_finite, &zero);
        const float *numbers = (const float *)(const void *)(group + VB_CODER_GROUP * 128);
        for (int i = 0; i < 11; i++) {
            double square = 0, left = 0, coded = 0;
            memset(v, 0, sizeof v);
            for (int k = 0; k < DIM; k++) {
                v[k] = dtype == VB_F32 ? rows[i * DIM + k] :
                       dtype == VB_F16 ? vb_dtype_half_to_float(half[i * DIM + k]) :
                                         vb_dtype_bf16_to_float(half[i * DIM + k]);
                square += v[k] * v[k];
            }
            for (int k = 0; k < DIM; k++) v[k] = (similarity == VB_COSINE ? v[k] / sqrt(square) : v[k]) - mean[k];
            vb_coder_rotate(coder, v, work);
            for (int k = 0; k < 128; k++) {
                double c = group[k / 4 * 64 + i * 4 + k % 4] - 128.0;
                left += (v[k] - c * numbers[i]) * (v[k] - c * numbers[i]);
                coded += c * c;
            }
            assert_true(sqrt(left) <= numbers[16 + i] && numbers[16 + i] <= sqrt(left) * (1 + 1e-6) + 1e-12);
            assert_true(sqrt(coded) * numbers[i] <= numbers[32 + i] && numbers[32 + i] <= sqrt(coded) * numbers[i] * (1 + 1e-6));
            assert_true(numbers[16 + i] < 0.05 * numbers[32 + i]); /* it is a code worth having */
        }
        for (int i = 11; i < VB_CODER_GROUP; i++) assert_true(numbers[16 + i] == -INFINITY);
        assert_int_equal(not_finite + zero, 0);
        vb_coder_free(coder);
    }
}

/* ---- the search
 * ----------------------------------------------------------------------------------------------------------------- */

typedef struct source {
    const float *rows;
    int dim;
    int64_t reads;
} source;

static int read_row(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err) {
    (void)err;
    source *from = context;
    *row = from->rows + (id - 500) * from->dim;
    *dtype = VB_F32;
    from->reads++;
    return 0;
}

/* The lists of a search through codes, two scans sharing the groups; -1 with the error when it fails. */
static int search_codes(vb_topk *lists, source *from, int64_t count, int dim, int64_t n, int64_t k, vb_similarity similarity,
                        vb_error *err) {
    vb_search *search = NULL;
    vb_coder *coder = NULL;
    vb_coded_queries *coded = NULL;
    vb_scan *exact[2] = {NULL, NULL};
    vb_coded_scan *scan[2] = {NULL, NULL};
    int64_t groups = (count + VB_CODER_GROUP - 1) / VB_CODER_GROUP, not_finite = 0, zero = 0;
    int status = vb_coder_new(&coder, dim, mean, 77, similarity, err);
    if (status) return -1;
    size_t bytes = vb_coder_group_bytes(vb_coder_width(coder));
    uint8_t *all = aligned_alloc(64, (size_t)groups * bytes);
    double *work = malloc(2 * (size_t)vb_coder_width(coder) * sizeof *work);
    for (int64_t g = 0; g < groups; g++)
        vb_coder_encode(coder, rows + g * VB_CODER_GROUP * dim, VB_F32,
                        (int)(count - g * VB_CODER_GROUP < VB_CODER_GROUP ? count - g * VB_CODER_GROUP : VB_CODER_GROUP),
                        all + (size_t)g * bytes, work, &not_finite, &zero);
    if (vb_search_new(&search, queries, n, dim, k, similarity, err) || vb_coded_queries_new(&coded, coder, queries, n, err))
        status = -1;
    for (int s = 0; s < 2 && !status; s++)
        if (vb_scan_new(&exact[s], search, err) || vb_coded_scan_new(&scan[s], coded, search, exact[s], k, read_row, from, err))
            status = -1;
    for (int64_t at = 0, step = 5, s = 0; at < groups && !status; at += step, s ^= 1) {
        step = (step * 3 + 1) % 17 + 1;
        int64_t piece = groups - at < step ? groups - at : step;
        status = vb_coded_scan_groups(scan[s], all + (size_t)at * bytes, piece, 500 + at * VB_CODER_GROUP, err);
    }
    for (int s = 0; s < 2 && !status; s++) status = vb_coded_scan_settle(scan[s], err);
    if (!status) status = vb_topk_new(lists, n, k, err);
    for (int s = 0; s < 2 && !status; s++) vb_topk_merge(lists, vb_scan_topk(exact[s]));
    if (!status) vb_topk_sort(lists);
    for (int s = 0; s < 2 && !status; s++) /* rows that are looked at again were counted before, when they were coded */
        assert_int_equal(vb_scan_counted(exact[s])->rows, 0);
    for (int s = 0; s < 2; s++) {
        vb_coded_scan_free(scan[s]);
        vb_scan_free(exact[s]);
    }
    vb_coded_queries_free(coded);
    vb_coder_free(coder);
    vb_search_free(search);
    free(work);
    free(all);
    return status;
}

static void compare(int64_t count, int dim, int64_t n, int64_t k, vb_similarity similarity, int64_t most_reads) {
    vb_error err;
    vb_topk lists;
    source from = {rows, dim, 0};
    scored *list = calloc((size_t)count, sizeof *list);
    assert_ok(search_codes(&lists, &from, count, dim, n, k, similarity, &err));
    for (int64_t q = 0; q < n; q++) {
        int64_t found = brute(rows, VB_F32, count, dim, queries + q * dim, similarity, list);
        assert_int_equal(lists.count[q], found < k ? found : k);
        for (int64_t i = 0; i < lists.count[q]; i++)
            if (lists.hits[q * k + i].id != 500 + list[i].id)
                fail_msg("%s, query %d, place %d: row %d instead of %d", vb_isa_name(vb_isa_level()), (int)q, (int)i,
                         (int)lists.hits[q * k + i].id - 500, (int)list[i].id);
    }
    if (from.reads > most_reads) fail_msg("%d rows read, expected at most %d", (int)from.reads, (int)most_reads);
    vb_topk_free(&lists);
    free(list);
}

static void likely_rows(void) {
    srand(4);
    fill(MOST, 64);
    compare(MOST, 64, 1, 10, VB_DOT, 400); /* the bound excludes most */
    compare(MOST - 5, 64, 30, 3, VB_COSINE, MOST);
    memcpy(rows + 1000 * 64, rows, 300 * 64 * sizeof *rows); /* ties */
    compare(1500, 64, 13, 20, VB_DOT, 1500);
    compare(97, 64, 25, 200, VB_DOT, 2 * 97); /* all of them: every bound is checked */
    fill(300, DIM);
    compare(300, DIM, 12, 300, VB_COSINE, 600);
    for (int i = 0; i < ASKING * DIM; i++) queries[i] = uniform();
    compare(40, DIM, ASKING, 40, VB_DOT, 3 * 40); /* of a row at most 64 queries are asked at once */
}

static void unlikely_rows(void) {
    srand(5);
    fill(MOST, 8);
    for (int i = 0; i < 8; i++) queries[i] = 0;                                  /* a query that ties everything */
    for (int i = 0; i < 1200; i++) memcpy(rows + i * 8, rows, 8 * sizeof *rows); /* pools that overflow */
    rows[7 * 8] = NAN, rows[1500 * 8 + 7] = -INFINITY, rows[1201 * 8] = INFINITY;
    memset(rows + 1300 * 8, 0, 8 * sizeof *rows);
    for (int k = 0; k < 8; k++) rows[1400 * 8 + k] *= 0x1p90f, rows[1401 * 8 + k] = 0x1p-90f * rows[1402 * 8 + k];
    compare(1600, 8, 4, 2, VB_DOT, 1 << 20);
    for (int i = 0; i < 8; i++) queries[i] = 1;
    compare(1600, 8, 4, 2, VB_COSINE, 1 << 20);
    compare(1600, 8, 4, 1600, VB_COSINE, 1 << 20);
}

static void lists_equal_brute_force(void **state) {
    (void)state;
    each_level(likely_rows);
}
static void rows_that_are_not_ordinary(void **state) {
    (void)state;
    each_level(unlikely_rows);
}

/* Codes at their worst: after many rows of one score comes one whose higher score lies wholly in what the codes leave out, of the
 * row
 * (residual) or of the query (its first plane). Only the bound can keep it. */
enum { LAST = 1400 };

static void worst_case(bool in_the_row) {
    vb_error err;
    vb_coder *coder;
    double matrix[64][64], work[64], step = 0x1p-10, row[64], last[64], query[64];
    memset(mean, 0, sizeof mean);
    assert_ok(vb_coder_new(&coder, 64, mean, 77, VB_DOT, &err));
    for (int k = 0; k < 64; k++) {
        memset(matrix[k], 0, sizeof matrix[k]);
        matrix[k][k] = 1;
        vb_coder_rotate(coder, matrix[k],
                        work); /* the k-th column: the rotation is orthogonal, so that its inverse is the transpose */
    }
    for (int i = 0; i < 64; i++) { /* rotated coordinates */
        /* codes 127, 1, 1, ...; left out is 0.4 of a step everywhere, which is what the query looks for: 25 in all */
        if (in_the_row) {
            query[i] = i % 2 ? 1 : -1;
            last[i] = step * (i ? 1 + 0.4 * query[i] : 127);
            row[i] = step * (i ? i % 2 && i < 48 ? 2 : 1 : 127); /* 24 in codes */
        } else { /* the query's second half is lost in its first plane, and is what the last row has */
            query[i] = i < 32 ? 127 : 0.4;
            row[i] = i ? 0 : step * 0.4 * 32 * 0.95;
            last[i] = i < 32 ? 0 : 127 * step;
        }
    }
    for (int k = 0; k < 64; k++) {
        double a = 0, b = 0, q = 0;
        for (int i = 0; i < 64; i++) a += row[i] * matrix[k][i], b += last[i] * matrix[k][i], q += query[i] * matrix[k][i];
        queries[k] = (float)q;
        for (int i = 0; i < LAST + 100; i++) rows[i * 64 + k] = (float)(i == LAST ? b : a);
    }
    vb_coder_free(coder);
    compare(LAST + 100, 64, 1, 1, VB_DOT, 1 << 20);
}

static void worst_cases(void) {
    worst_case(true);
    worst_case(false);
}

/* Rows that codes hold exactly: all that is lost is what two planes of a query leave, and the bounds are no more than that. */
static void exact_codes(void) {
    enum { WIDTH = 64, COUNT = 400, ASKED = 5 };
    vb_error err;
    vb_coder *coder;
    double turned[WIDTH][WIDTH], work[2 * WIDTH];
    srand(31);
    memset(mean, 0, sizeof mean);
    assert_ok(vb_coder_new(&coder, WIDTH, mean, 77, VB_DOT, &err));
    for (int j = 0; j < WIDTH; j++) {
        memset(turned[j], 0, sizeof turned[j]);
        turned[j][j] = 1;
        vb_coder_rotate(coder, turned[j], work);
    }
    vb_coder_free(coder);
    for (int i = 0; i < COUNT; i++) {
        int codes[WIDTH];
        for (int k = 0; k < WIDTH; k++) codes[k] = rand() % 255 - 127;
        codes[rand() % WIDTH] = 127;
        for (int j = 0; j < WIDTH; j++) { /* turned back: by the transpose */
            double sum = 0;
            for (int k = 0; k < WIDTH; k++) sum += turned[j][k] * codes[k];
            rows[i * WIDTH + j] = (float)sum;
        }
    }
    for (int i = 0; i < ASKED * WIDTH; i++) queries[i] = uniform();
    compare(COUNT, WIDTH, ASKED, 7, VB_DOT, INT64_MAX);
}

static void bounds_keep_what_codes_lose(void **state) {
    (void)state;
    each_level(worst_cases);
    each_level(exact_codes);
}

static void codes_of_other_rows_are_found_out(void **state) {
    (void)state;
    vb_error err;
    vb_topk lists;
    static float others[MOST * 64];
    srand(6);
    fill(400, 64);
    for (int i = 0; i < 400 * 64; i++) others[i] = rows[i];
    for (int i = 0; i < 400; i++) others[i * 64 + 5] += 0.01f;
    source from = {others, 64, 0};
    queries[5] = 1;
    assert_fails(search_codes(&lists, &from, 400, 64, 2, 5, VB_DOT, &err), VB_EMISMATCH,
                 "the quantised copy is not of this corpus");
}

static void failed_allocations(void **state) {
    (void)state;
    vb_error err;
    vb_topk lists;
    srand(7);
    fill(200, 64);
    for (int n = 1;; n++) {
        char fault[32];
        source from = {rows, 64, 0};
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        int failed = search_codes(&lists, &from, 200, 64, 3, 5, VB_DOT, &err);
        vb_fault_setup(NULL, 0);
        if (!failed) break;
        assert_int_equal(err.code, VB_EMEMORY);
        assert_true(n < 100);
    }
    vb_topk_free(&lists);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_the_same_at_every_level), cmocka_unit_test(rotation_keeps_inner_products),
        cmocka_unit_test(residuals_cover_what_is_left),         cmocka_unit_test(lists_equal_brute_force),
        cmocka_unit_test(rows_that_are_not_ordinary),           cmocka_unit_test(bounds_keep_what_codes_lose),
        cmocka_unit_test(codes_of_other_rows_are_found_out),    cmocka_unit_test(failed_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
