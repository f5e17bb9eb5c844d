/* Tests of hits and their heaps: order and ties against integers, merges in any order, bytes there and back, failed
 * allocations. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/exact/topk.h"
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

/* x . q as an exact sum of two doubles, for inner products. */
static vb_hit hit(int64_t id, double dot, double rest) { return (vb_hit){.id = id, .dot = dot, .dot_rest = rest, .square = 1}; }

/* The same number kept in integers. */
static vb_hit wide_hit(int64_t id, double dot, double rest) {
    vb_error err;
    vb_hit h = hit(id, 0, 0);
    h.wide = vb_array(2, sizeof *h.wide, "test", &err);
    assert_non_null(h.wide);
    vb_exact_sum(&h.wide[0], (const double[]){dot, rest}, 2);
    vb_exact_sum(&h.wide[1], (const double[]){1}, 1);
    h.dot = vb_exact_round(&h.wide[0]);
    return h;
}

static void sums_round_to_the_nearest_double(void **state) {
    (void)state;
    static const struct {
        double terms[3], expected;
    } cases[] = {{{0, 0, 0}, 0},
                 {{1, 0x1p-53, 0}, 1}, /* half way: to even */
                 {{1, 0x1p-52, 0x1p-53}, 1 + 0x1p-51},
                 {{1, 0x1p-53, 0x1p-298}, 1 + 0x1p-52},
                 {{-1, -0x1p-53, -0x1p-298}, -1 - 0x1p-52},
                 {{1, 0x1p-53, -0x1p-298}, 1},
                 {{0x1p-298, 0, 0}, 0x1p-298},
                 {{-0x1.8p-297, 0, 0}, -0x1.8p-297},
                 {{0x1p255, -0x1p255, 0x1p-200}, 0x1p-200},
                 {{0x1.fffffffffffffp200, 0x1p147, 0}, 0x1p201},
                 {{0x1p-266, 0x1p-298, 0x1p-297}, 0x1p-266 + 0x1.8p-297},
                 {{3e38, 1e-30, -3e38}, 1e-30}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_exact sum;
        vb_exact_sum(&sum, cases[i].terms, 3);
        double found = vb_exact_round(&sum);
        if (found != cases[i].expected) fail_msg("case %zu: %a instead of %a", i, found, cases[i].expected);
    }
    /* integers of two doubles against the processor's 128-bit ones */
    srand(7);
    for (int i = 0; i < 2000; i++) {
        double a = ldexp(rand(), rand() % 60), b = ldexp(-rand(), rand() % 60);
        vb_exact sum;
        vb_exact_sum(&sum, (const double[]){a, b}, 2);
        if (vb_exact_round(&sum) != (double)((__int128)a + (__int128)b)) fail_msg("%a + %a", a, b);
    }
}

static void order_is_exact(void **state) {
    (void)state;
    vb_hit a = hit(5, 1, 0), b = hit(4, 1, 0x1p-100), c = hit(3, 1, 0), d = hit(9, -1, 0), e = wide_hit(8, 1, 0x1p-200);
    assert_true(vb_hit_before(&b, &a)); /* a higher rest */
    assert_false(vb_hit_before(&a, &b));
    assert_true(vb_hit_before(&c, &a)); /* equal: the lower id */
    assert_false(vb_hit_before(&a, &c));
    assert_false(vb_hit_before(&a, &a));
    assert_true(vb_hit_before(&a, &d));
    assert_true(vb_hit_before(&e, &a)); /* 1 + 2^-200 against 1 */
    assert_true(vb_hit_before(&b, &e));
    vb_hit same = wide_hit(6, 1, 0x1p-100);
    assert_true(vb_hit_before(&b, &same)); /* the same number in both forms */
    assert_false(vb_hit_before(&same, &b));
    vb_free(e.wide);
    vb_free(same.wide);
    /* cosines: 3 / sqrt(9) = 1 / sqrt(1), and the next number above */
    vb_hit x = {.id = 2, .dot = 3, .square = 9}, y = {.id = 1, .dot = 1, .square = 1};
    vb_hit z = {.id = 3, .dot = 3, .dot_rest = 0x1p-90, .square = 9};
    assert_true(vb_hit_before(&y, &x));
    assert_true(vb_hit_before(&z, &y));
    assert_true(vb_hit_before(&z, &x));
    /* squares that round to 1 are not 1 */
    vb_hit u = {.id = 1, .dot = 0.5, .square = 1, .square_rest = 0x1p-70}, v = {.id = 2, .dot = 0.5, .square = 1};
    assert_true(vb_hit_before(&v, &u));
    assert_false(vb_hit_before(&u, &v));
    /* nor do dots decide beside them: 0.5 + 0.45 ulp over 1 is more than 0.5 + 0.55 ulp over the root of 1 + 2^-54 */
    vb_hit p = {.id = 2, .dot = 0.5, .dot_rest = 0.45 * 0x1p-53, .square = 1};
    vb_hit q = {.id = 1, .dot = 0.5 + 0x1p-53, .dot_rest = -0.45 * 0x1p-53, .square = 1, .square_rest = 0x1p-54};
    assert_true(vb_hit_before(&p, &q));
    assert_false(vb_hit_before(&q, &p));
}

/* a / sqrt(b) is a d / sqrt(b d d): whole numbers tell what rounded quotients, which are off by a bit, do not. */
static void cosines_that_rounding_tells_wrong(void **state) {
    (void)state;
    uint64_t seed = 5;
    int ties = 0, misled = 0;
    for (int i = 0; i < 4000; i++) {
        const int64_t factor = 2 + random_below(&seed, 1000), dot = 1 + random_below(&seed, 30000), sign = i % 2 ? 1 : -1;
        const int64_t square = 2 + random_below(&seed, 1 << 24), scaled = square * factor * factor + random_below(&seed, 3) - 1;
        const vb_hit a = {.id = 1 + random_below(&seed, 3), .dot = (double)(sign * dot), .square = (double)square};
        const vb_hit b = {.id = 2, .dot = (double)(sign * dot * factor), .square = (double)scaled};
        const __int128 left = (__int128)dot * dot * scaled, right = (__int128)dot * dot * factor * factor * square;
        const int order = left == right ? 0 : (left > right) == (sign > 0) ? 1 : -1;
        if (vb_hit_before(&a, &b) != (order > 0 || (!order && a.id < b.id)) ||
            vb_hit_before(&b, &a) != (order < 0 || (!order && b.id < a.id)))
            fail_msg("%g / sqrt(%.0f) against %g / sqrt(%.0f)", a.dot, a.square, b.dot, b.square);
        const double difference = vb_hit_score(&a) - vb_hit_score(&b);
        ties += !order;
        misled += order != (difference > 0) - (difference < 0);
    }
    assert_true(ties > 1000 && misled > 100);
}

enum { HITS = 400, K = 25, QUERIES = 3 };

static int by_value(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0] ? -1 : 1) : x[1] < y[1] ? -1 : 1;
}

/* Hits of few distinct values, so that most are ties; every third in the wide form. */
static vb_hit sample(int64_t values[QUERIES][HITS][2], int q, int i) {
    double value = (double)values[q][i][0];
    return values[q][i][1] % 3 ? hit(values[q][i][1], value, 0) : wide_hit(values[q][i][1], value, 0);
}

static void fill(int64_t values[QUERIES][HITS][2]) {
    for (int q = 0; q < QUERIES; q++) {
        for (int i = 0; i < HITS; i++) values[q][i][0] = rand() % 40 - 20, values[q][i][1] = i;
        for (int i = HITS - 1; i > 0; i--) {
            int j = rand() % (i + 1);
            int64_t id = values[q][i][1];
            values[q][i][1] = values[q][j][1];
            values[q][j][1] = id;
        }
    }
}

static void lists_do_not_depend_on_the_order(void **state) {
    (void)state;
    vb_error err;
    srand(1);
    static int64_t values[QUERIES][HITS][2];
    for (int trial = 0; trial < 20; trial++) {
        fill(values);
        vb_topk part[4], all;
        assert_ok(vb_topk_new(&all, QUERIES, K, &err));
        for (int p = 0; p < 4; p++) assert_ok(vb_topk_new(&part[p], QUERIES, K, &err));
        for (int q = 0; q < QUERIES; q++)
            for (int i = 0; i < HITS; i++) vb_topk_offer(&part[rand() % 4], q, sample(values, q, i));
        /* two by merging, two through bytes */
        for (int p = 3; p >= 0; p--) {
            if (p % 2) vb_topk_merge(&all, &part[p]);
            else {
                unsigned char *bytes = NULL;
                size_t size = 0, capacity = 0;
                assert_ok(vb_topk_pack(&part[p], 0, QUERIES, &bytes, &size, &capacity, &err));
                assert_ok(vb_topk_unpack(&all, 0, QUERIES, bytes, size, &err));
                vb_free(bytes);
            }
            vb_topk_free(&part[p]);
        }
        vb_topk_sort(&all);
        for (int q = 0; q < QUERIES; q++) {
            qsort(values[q], HITS, sizeof values[q][0], by_value);
            assert_int_equal(all.count[q], K);
            for (int i = 0; i < K; i++) {
                assert_int_equal(all.hits[q * K + i].id, values[q][i][1]);
                assert_true(all.hits[q * K + i].dot == (double)values[q][i][0]);
            }
        }
        vb_topk_free(&all);
    }
}

/* What only the second double of a sum tells apart is told apart behind the bytes, too. */
static void rests_go_by_bytes(void **state) {
    (void)state;
    vb_error err;
    const vb_hit hits[] = {{.id = 0, .dot = 1, .square = 2, .square_rest = 0x1p-60},
                           {.id = 1, .dot = 1, .dot_rest = 0x1p-60, .square = 2, .square_rest = 0x1p-60},
                           {.id = 2, .dot = 1, .dot_rest = 0x1p-60, .square = 2}};
    vb_topk some, all;
    unsigned char *bytes = NULL;
    size_t size = 0, capacity = 0;
    assert_ok(vb_topk_new(&some, 1, 3, &err));
    assert_ok(vb_topk_new(&all, 1, 3, &err));
    for (int i = 0; i < 3; i++) vb_topk_offer(&some, 0, hits[i]);
    assert_ok(vb_topk_pack(&some, 0, 1, &bytes, &size, &capacity, &err));
    assert_ok(vb_topk_unpack(&all, 0, 1, bytes, size, &err));
    vb_topk_sort(&all);
    for (int i = 0; i < 3; i++) {
        const vb_hit *found = &all.hits[i], *expected = &hits[2 - i];
        assert_int_equal(found->id, expected->id);
        assert_true(found->dot_rest == expected->dot_rest && found->square_rest == expected->square_rest);
    }
    vb_free(bytes);
    vb_topk_free(&some);
    vb_topk_free(&all);
}

static void fewer_hits_than_places(void **state) {
    (void)state;
    vb_error err;
    vb_topk topk;
    assert_ok(vb_topk_new(&topk, 2, 10, &err));
    for (int i = 0; i < 4; i++) vb_topk_offer(&topk, 1, hit(i, i % 2, 0));
    assert_null(vb_topk_worst(&topk, 1));
    vb_topk_sort(&topk);
    assert_int_equal(topk.count[0], 0);
    assert_int_equal(topk.count[1], 4);
    static const int64_t expected[] = {1, 3, 0, 2};
    for (int i = 0; i < 4; i++) assert_int_equal(topk.hits[10 + i].id, expected[i]);
    vb_topk_free(&topk);
}

static void damaged_bytes_and_failed_allocations(void **state) {
    (void)state;
    vb_error err;
    vb_topk topk;
    int64_t count = 3;
    assert_ok(vb_topk_new(&topk, 1, 2, &err));
    assert_int_equal(vb_topk_unpack(&topk, 0, 1, (const unsigned char *)&count, sizeof count, &err), -1); /* more than k */
    assert_int_equal(err.code, VB_EDATA);
    count = -1;
    assert_int_equal(vb_topk_unpack(&topk, 0, 1, (const unsigned char *)&count, sizeof count, &err), -1);
    vb_topk_offer(&topk, 0, wide_hit(1, 2, 0x1p-99));
    unsigned char *bytes = NULL;
    size_t size = 0, capacity = 0;
    assert_ok(vb_topk_pack(&topk, 0, 1, &bytes, &size, &capacity, &err));
    for (size_t cut = 0; cut < size; cut++) assert_int_equal(vb_topk_unpack(&topk, 0, 1, bytes, cut, &err), -1);
    /* Numbers that no sum of products has: behind the count and the row number dot, its rest, square, its rest. */
    static const double odd[] = {NAN, INFINITY, -INFINITY, 0x1p1000};
    for (size_t field = 0; field < 3; field += 2)
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            double kept;
            memcpy(&kept, bytes + 16 + 8 * field, 8);
            memcpy(bytes + 16 + 8 * field, &odd[i], 8);
            assert_int_equal(vb_topk_unpack(&topk, 0, 1, bytes, size, &err), -1);
            assert_int_equal(err.code, VB_EDATA);
            memcpy(bytes + 16 + 8 * field, &kept, 8);
        }
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_int_equal(vb_topk_unpack(&topk, 0, 1, bytes, size, &err), -1);
    assert_int_equal(err.code, VB_EMEMORY);
    vb_free(bytes);
    vb_topk_free(&topk);
    for (int n = 1; n < 3; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        assert_int_equal(vb_topk_new(&topk, 2, 2, &err), -1);
    }
    vb_fault_setup(NULL, 0);
    assert_int_equal(vb_topk_new(&topk, INT64_MAX / 2, 16, &err), -1);
    assert_int_equal(err.code, VB_EMEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_round_to_the_nearest_double),
                                       cmocka_unit_test(order_is_exact),
                                       cmocka_unit_test(cosines_that_rounding_tells_wrong),
                                       cmocka_unit_test(lists_do_not_depend_on_the_order),
                                       cmocka_unit_test(rests_go_by_bytes),
                                       cmocka_unit_test(fewer_hits_than_places),
                                       cmocka_unit_test(damaged_bytes_and_failed_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
