/* Tests of the search through a device: lists against brute force in quadruple precision, counts against the search without one;
 * ties, rows out of the ordinary, little memory, devices that fail. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/gpu/gpu_best.h"
#include "kernels/gpu/gpu_work.h"
#include "kernels/search/scan_device.h"
#include "tests/unit/gpu_test.h"
#include "tests/unit/search_reference.h"

enum { MOST = 900, DIM = 100, QUERIES = 100 };
static vb_gpu_device *device;
static float rows32[MOST * DIM], queries[QUERIES * DIM];
static uint16_t rows16[MOST * DIM];

static void need_device(void) {
    if (!device) device = gpu_test_open();
}

typedef struct asked_for {
    const void *rows;
    vb_dtype dtype;
    int64_t count;
    int dim;
    int64_t n, k;
    vb_similarity similarity;
    const char *fault; /* while the rows are searched */
    int64_t piece;     /* rows at most; 0: as many as fit */
} asked_for;

/* Pieces of odd sizes, each in memory that is there only as long as it must be. Rows that the device has searched. */
static int64_t search_pieces(const asked_for *ask, vb_scan_device *its) {
    vb_error err = {0};
    const size_t row_bytes = (size_t)ask->dim * vb_dtype_size(ask->dtype);
    char *held = NULL;
    for (int64_t at = 0, step = 70, piece; at < ask->count; at += piece, step = (step * 7 + 3) % 301 + 1) {
        piece = ask->count - at < step ? ask->count - at : step;
        if (piece > vb_scan_device_most(its)) piece = vb_scan_device_most(its);
        char *copy = malloc((size_t)piece * row_bytes);
        memcpy(copy, (const char *)ask->rows + (size_t)at * row_bytes, (size_t)piece * row_bytes);
        assert_ok(vb_scan_device_rows(its, copy, ask->dtype, piece, 1000 + at, &err));
        free(held);
        held = copy;
    }
    assert_ok(vb_scan_device_end(its, &err));
    assert_ok(vb_scan_device_end(its, &err)); /* of nothing */
    free(held);
    return vb_scan_device_searched(its);
}

static void check_lists(const asked_for *ask, const vb_search *search, const vb_topk *topk) {
    scored *list = calloc((size_t)ask->count, sizeof *list);
    for (int64_t q = 0; q < ask->n; q++) {
        const int64_t listed = brute(ask->rows, ask->dtype, ask->count, ask->dim, queries + q * ask->dim, ask->similarity, list);
        assert_int_equal(topk->count[q], listed < ask->k ? listed : ask->k);
        for (int64_t i = 0; i < topk->count[q]; i++) {
            const vb_hit *hit = &topk->hits[q * ask->k + i];
            if (hit->id != 1000 + list[i].id)
                fail_msg("query %d, place %d: row %d instead of %d", (int)q, (int)i, (int)hit->id - 1000, (int)list[i].id);
            if (ask->similarity == VB_DOT) assert_true(vb_search_score(search, q, hit) == (double)list[i].score);
        }
    }
    free(list);
}

/* Rows that the device has searched. */
static int64_t compare(const asked_for *ask) {
    vb_error err = {0};
    vb_search *search, *other;
    vb_scan *scan, *plain;
    vb_scan_device *its;
    need_device();
    assert_ok(vb_search_new(&search, queries, ask->n, ask->dim, ask->k, ask->similarity, &err));
    assert_ok(vb_search_new(&other, queries, ask->n, ask->dim, ask->k, ask->similarity, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    assert_ok(vb_scan_new(&plain, other, &err));
    assert_ok(vb_scan_device_new(&its, scan, device, ask->piece ? ask->piece : 1 << 20, 1, &err));
    assert_int_equal(vb_fault_setup(ask->fault, 0), 0);
    const int64_t searched = search_pieces(ask, its);
    vb_fault_setup(NULL, 0);
    if (!ask->fault) {
        assert_string_equal(vb_scan_device_lost(its), "");
        assert_int_equal(searched, ask->count);
    }
    assert_ok(vb_scan_rows(plain, ask->rows, ask->dtype, ask->count, 1000, &err));
    vb_scan_counts *found = vb_scan_counted(scan), *expected = vb_scan_counted(plain);
    assert_int_equal(found->rows, expected->rows);
    assert_int_equal(found->zero, expected->zero);
    assert_int_equal(found->not_finite, expected->not_finite);
    vb_topk_sort(vb_scan_topk(scan));
    check_lists(ask, search, vb_scan_topk(scan));
    vb_scan_device_free(its);
    vb_scan_free(scan), vb_scan_free(plain);
    vb_search_free(search), vb_search_free(other);
    assert_true(device->in_use == 64);
    return searched;
}

static void fill(int count, int dim) {
    for (int i = 0; i < count * dim; i++) rows32[i] = uniform();
    for (int i = 0; i < QUERIES * dim; i++) queries[i] = uniform();
    for (int i = 0; i < 60 * dim; i++) rows32[150 * dim + i] = rows32[i]; /* ties */
}

static void lists_equal_brute_force(void **state) {
    (void)state;
    static const int dims[] = {1, 33, 64, 100};
    static const int64_t asked[] = {1, 20, 100, 3};
    srand(3);
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        const int dim = dims[d], count = 300 + rand() % (MOST - 300);
        fill(count, dim);
        for (int s = 0; s < 2; s++) {
            asked_for ask = {rows32, VB_F32, count, dim, asked[d], 5 + (int64_t)d * 30, s ? VB_COSINE : VB_DOT, NULL, 0};
            assert_int_equal(compare(&ask), count);
            ask.rows = rows16;
            ask.n = 20;
            for (int type = 0; type < 2; type++) {
                ask.dtype = type ? VB_BF16 : VB_F16;
                for (int i = 0; i < count * dim; i++) {
                    uint32_t bits;
                    memcpy(&bits, &rows32[i], 4);
                    rows16[i] = type ? (uint16_t)(bits >> 16) : vb_dtype_float_to_half(rows32[i]);
                }
                assert_int_equal(compare(&ask), count);
            }
        }
    }
    fill(200, 10); /* more wanted than there are */
    assert_int_equal(compare(&(asked_for){rows32, VB_F32, 200, 10, 7, 200, VB_DOT, NULL, 0}), 200);
    assert_int_equal(compare(&(asked_for){rows32, VB_F32, 200, 10, 7, 500, VB_COSINE, NULL, 0}), 200);
}

/* The best row scores 64 in the chain, where each of its small terms is lost beside a one: less than the best known score. It is
 * long, and those behind it in its piece, in the next block of rows, are short. */
static void long_rows_before_short_ones(void **state) {
    (void)state;
    enum { WIDTH = 450, COUNT = MOST * DIM / WIDTH, BEST = 72, ONES = 64 };
    memset(rows32, 0, sizeof rows32);
    for (int i = 0; i < COUNT; i++) rows32[i * WIDTH] = 0x1p-20f;
    for (int k = 0; k < WIDTH; k++) rows32[BEST * WIDTH + k] = k < ONES ? 1 : 0.4f * 0x1p-23f;
    for (int k = 0; k < ONES; k++) rows32[k] = 1;
    rows32[ONES] = 1e-5f;
    for (int k = 0; k < WIDTH; k++) queries[k] = 1;
    assert_int_equal(compare(&(asked_for){rows32, VB_F32, COUNT, WIDTH, 1, 1, VB_DOT, NULL, 0}), COUNT);
}

/* Small integers: more rows have the same score than there is room for; and differences below the errors of fp32. */
static void ties_go_by_row(void **state) {
    (void)state;
    srand(5);
    for (int i = 0; i < MOST * 12; i++) rows32[i] = (float)(rand() % 3 - 1);
    for (int i = 0; i < 6 * 12; i++) queries[i] = (float)(rand() % 3 - 1);
    for (int k = 0; k < 12; k++) queries[k] = 0; /* everything is a tie */
    compare(&(asked_for){rows32, VB_F32, MOST, 12, 6, 7, VB_DOT, NULL, 0});
    for (int k = 0; k < 12; k++) queries[k] = 1;
    compare(&(asked_for){rows32, VB_F32, MOST, 12, 6, 7, VB_COSINE, NULL, 0});
    for (int k = 0; k < 64; k++) rows32[k] = uniform();
    for (int i = 1; i < 600; i++) {
        memcpy(rows32 + i * 64, rows32, 64 * sizeof *rows32);
        for (int n = 0; n < 3; n++) {
            float *x = &rows32[i * 64 + rand() % 64];
            *x = nextafterf(*x, rand() % 2 ? 2 : -2);
        }
    }
    for (int i = 0; i < 9 * 64; i++) queries[i] = uniform();
    compare(&(asked_for){rows32, VB_F32, 600, 64, 9, 30, VB_DOT, NULL, 0});
    compare(&(asked_for){rows32, VB_F32, 600, 64, 9, 30, VB_COSINE, NULL, 0});
}

static void rows_that_are_not_ordinary(void **state) {
    (void)state;
    srand(6);
    fill(300, 20);
    rows32[5 * 20 + 3] = NAN, rows32[77 * 20] = INFINITY, rows32[199 * 20 + 19] = -INFINITY;
    memset(rows32 + 60 * 20, 0, 20 * sizeof *rows32);
    for (int k = 0; k < 20; k++) {
        rows32[8 * 20 + k] = rows32[9 * 20 + k] * 0x1p100f;
        rows32[3 * 20 + k] = rows32[9 * 20 + k] * 0x1p-70f;
        rows32[90 * 20 + k] = rows32[9 * 20 + k] * 0x1p-20f;
    }
    for (int s = 0; s < 2; s++)
        for (int64_t k = 10; k < 400; k += 280)
            compare(&(asked_for){rows32, VB_F32, 300, 20, 4, k, s ? VB_COSINE : VB_DOT, NULL, 0});
}

/* Every step fails once, or from there on: the lists stay, whoever makes them. */
static void what_a_device_fails_at_is_done_here(void **state) {
    (void)state;
    srand(7);
    fill(MOST, 16);
    need_device();
    static const char *const sites[] = {"device-launch", "device-alloc"};
    bool lost = false, kept = false;
    for (int site = 0; site < 2; site++)
        for (int n = 1; n < 12; n += 1 + n / 4)
            for (int forever = 0; forever < 2; forever++) {
                char fault[64];
                snprintf(fault, sizeof fault, "%s:%d%s:EIO", sites[site], n, forever ? "+" : "");
                const int64_t searched =
                    compare(&(asked_for){rows32, VB_F32, MOST, 16, 20, 10, n % 2 ? VB_DOT : VB_COSINE, fault, 0});
                lost = lost || searched == 0;
                kept = kept || (searched > 0 && searched < MOST);
            }
    assert_true(lost && kept);
}

static void little_memory_means_smaller_pieces(void **state) {
    (void)state;
    vb_error err = {0};
    need_device();
    const vb_gpu_device_info info = device->info;
    srand(8);
    fill(MOST, 24);
    device->info.memory = (uint64_t)4 * 2 * 80 * 4 * 100; /* some 80 rows */
    const int64_t rows = vb_gpu_best_rows(device, 100, 24, 5, MOST, 1);
    assert_true(rows >= VB_GPU_BEST_LEAST && rows <= 160);
    assert_int_equal(compare(&(asked_for){rows32, VB_F32, MOST, 24, 100, 5, VB_DOT, NULL, 0}), MOST);
    assert_int_equal(vb_gpu_best_rows(device, 100, 24, 5, MOST, 4), 0);
    assert_int_equal(vb_gpu_best_rows(device, 20, 24, 5, 10, 1), 10);
    vb_search *search;
    vb_scan *scan;
    vb_scan_device *its;
    assert_ok(vb_search_new(&search, queries, 100, 24, 5, VB_DOT, &err));
    assert_ok(vb_scan_new(&scan, search, &err));
    device->info.memory = 1000;
    assert_fails(vb_scan_device_new(&its, scan, device, MOST, 1, &err), VB_EUNSUPPORTED, "too little memory for 100 queries");
    vb_scan_device_free(its);
    device->info = info;
    device->info.subnormals = false;
    assert_fails(vb_scan_device_new(&its, scan, device, MOST, 1, &err), VB_EUNSUPPORTED, "no subnormal numbers");
    vb_scan_device_free(its);
    device->info = info;
    vb_scan_free(scan);
    vb_search_free(search);
}

static void both_are_measured(void **state) {
    (void)state;
    vb_error err = {0};
    double here = 0, there = 0;
    need_device();
    fill(1, 64);
    assert_ok(vb_scan_device_measure(device, queries, 20, 64, VB_COSINE, &here, &there, &err));
    assert_true(here > 0 && here < 1 && there > 0 && there < 1);
    vb_fault_setup("device-launch:1+:EIO", 0);
    assert_fails(vb_scan_device_measure(device, queries, 20, 64, VB_DOT, &here, &there, &err), VB_EDEVICE,
                 "did not search all rows: kernel");
    vb_fault_setup(NULL, 0);
    assert_true(device->in_use == 64);
}

static int close_device(void **state) {
    (void)state;
    vb_gpu_device_close(device);
    return remove_scratch(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_equal_brute_force),
                                       cmocka_unit_test(long_rows_before_short_ones),
                                       cmocka_unit_test(ties_go_by_row),
                                       cmocka_unit_test(rows_that_are_not_ordinary),
                                       cmocka_unit_test(what_a_device_fails_at_is_done_here),
                                       cmocka_unit_test(little_memory_means_smaller_pieces),
                                       cmocka_unit_test(both_are_measured)};
    return cmocka_run_group_tests(tests, make_scratch, close_device);
}
