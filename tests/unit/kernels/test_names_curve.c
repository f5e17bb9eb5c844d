/* Tests of the curve over names, against enumeration of all sets of names and integers of binomial coefficients. */
#include "kernels/openness/names_curve.h"

#include <math.h>
#include <stdbool.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

enum { POOL = 12, IMAGES = 40 };

static int bits(unsigned set) { return __builtin_popcount(set); }

/* For each image the names that take it, and whether it is right without names: then every set of names is tried. */
static void curve_is_the_mean_over_all_sets(void **state) {
    (void)state;
    vb_error err = {0};
    uint64_t random_state = 7;
    unsigned takers[IMAGES];
    bool right[IMAGES];
    int64_t h[POOL + 1], count[POOL + 1] = {0}, entries = 0;
    for (int x = 0; x < IMAGES; x++) {
        takers[x] = random_below(&random_state, 1 << POOL) & (x % 3 ? random_below(&random_state, 1 << POOL) : 0xfff);
        if (x % 7 == 0) takers[x] = x ? 0 : (1 << POOL) - 1;
        right[x] = x % 5 != 0;
        if (right[x]) count[bits(takers[x])]++;
    }
    for (int i = 0; i <= POOL; i++)
        if (count[i]) {
            h[entries] = i;
            count[entries++] = count[i];
        }
    const vb_names_counts counts = {POOL, IMAGES, h, count, entries};
    double curve[POOL + 1], sums[POOL + 1] = {0}, each[POOL + 1][IMAGES] = {{0}}, sets[POOL + 1] = {0};
    for (unsigned set = 0; set < 1u << POOL; set++) {
        sets[bits(set)]++;
        for (int x = 0; x < IMAGES; x++) each[bits(set)][x] += right[x] && !(takers[x] & set);
    }
    assert_ok(vb_names_curve(&counts, curve, &err));
    for (int n = 0; n <= POOL; n++) {
        double squares = 0;
        for (int x = 0; x < IMAGES; x++) sums[n] += each[n][x] /= sets[n];
        double mean = sums[n] / IMAGES;
        for (int x = 0; x < IMAGES; x++) squares += (each[n][x] - mean) * (each[n][x] - mean);
        assert_true(fabs(curve[n] - mean) < 1e-13 && fabs(vb_names_curve_at(&counts, n) - mean) < 1e-13);
        assert_true(fabs(vb_names_curve_error(&counts, n) - sqrt(squares / (IMAGES - 1) / IMAGES)) < 1e-13);
    }
    /* What is read off it. */
    double area = 0;
    for (int n = 1; n < POOL; n++) area += (curve[n] + curve[n + 1]) / 2 * log((n + 1.0) / n);
    assert_true(fabs(vb_names_curve_area(curve, POOL) - area / log(POOL)) < 1e-13);
    int64_t half = vb_names_curve_half(curve, POOL);
    assert_true(half > 0 && curve[half] <= curve[0] / 2 && curve[half - 1] > curve[0] / 2);
}

/* w(n) = w(n - 1) (P - h - n + 1) / (P - n + 1), multiplied in long double. */
static void large_pools(void **state) {
    (void)state;
    static const int64_t h[] = {0, 1, 3, 70, 1000, 40000, 81999, 82000}, right[] = {5, 1, 7, 9, 100, 4, 2, 1};
    enum { P = 82000, ENTRIES = 8 };
    const vb_names_counts counts = {P, 200, h, right, ENTRIES};
    vb_error err = {0};
    double *curve = calloc(P + 1, sizeof *curve);
    assert_non_null(curve);
    assert_ok(vb_names_curve(&counts, curve, &err));
    long double w[ENTRIES];
    for (int i = 0; i < ENTRIES; i++) w[i] = 1;
    for (int64_t n = 0; n <= P; n++) {
        long double sum = 0;
        for (int i = 0; i < ENTRIES; i++) {
            if (n) w[i] *= (long double)(P - h[i] - n + 1) / (P - n + 1);
            sum += (long double)right[i] * w[i];
            if (n % 997 == 0) assert_true(fabsl(w[i] - (long double)vb_names_curve_survival(P, h[i], n)) < 1e-10L);
        }
        assert_true(fabsl(curve[n] - sum / 200) < 1e-10L);
    }
    assert_true(fabs(curve[P] - 5 / 200.0) < 1e-15); /* only what no name takes is left */
    free(curve);
}

static void points_and_small_pools(void **state) {
    (void)state;
    int64_t points[VB_NAMES_CURVE_POINTS];
    static const int64_t expected[] = {0, 1, 2, 3, 5, 7, 10, 20, 21, 23}, equal[] = {0, 1, 2, 3, 5};
    assert_int_equal(vb_names_curve_points(23, 21, false, points), 10);
    assert_memory_equal(points, expected, sizeof expected);
    assert_int_equal(vb_names_curve_points(23, 20, false, points), 9);
    assert_int_equal(vb_names_curve_points(23, 23, false, points), 9);
    assert_int_equal(vb_names_curve_points(23, 6, false, points), 10);
    assert_true(points[5] == 6 && points[6] == 7);
    assert_int_equal(vb_names_curve_points(5, 0, false, points), 5);
    assert_memory_equal(points, equal, sizeof equal);
    assert_int_equal(vb_names_curve_points(100, 99, true, points), 5);
    assert_true(points[2] == 10 && points[3] == 99 && points[4] == 100);
    assert_int_equal(vb_names_curve_points(0, 0, false, points), 1);
    assert_true(vb_names_curve_points(INT32_MAX, INT32_MAX - 1, false, points) < VB_NAMES_CURVE_POINTS);
    static const int64_t h[] = {0}, right[] = {2};
    double curve[2];
    vb_error err = {0};
    const vb_names_counts one = {1, 4, h, right, 1}, none = {1, 4, h, right, 0};
    assert_ok(vb_names_curve(&one, curve, &err));
    assert_true(curve[0] == 0.5 && curve[1] == 0.5);
    assert_true(isnan(vb_names_curve_area(curve, 1)));
    assert_int_equal(vb_names_curve_half(curve, 1), -1);
    assert_int_equal(vb_names_curve_half((const double[]){0.75, 0.5, 0.375, 0.375, 0.25}, 4), 2); /* half, to the last bit */
    assert_ok(vb_names_curve(&none, curve, &err));
    assert_true(curve[0] == 0 && curve[1] == 0);
    assert_int_equal(vb_names_curve_half(curve, 1), -1);
}

/* With one taker an image a curve falls by equal steps, and is half in the middle, though its ratios are rounded. */
static void halves_are_in_the_middle(void **state) {
    (void)state;
    static const int64_t h[] = {1}, right[] = {3};
    static double curve[402];
    vb_error err = {0};
    for (int64_t pool = 2; pool < 402; pool++) {
        assert_ok(vb_names_curve(&(vb_names_counts){pool, 4, h, right, 1}, curve, &err));
        assert_int_equal(vb_names_curve_half(curve, pool), (pool + 1) / 2);
        /* Equal chances have no error but the last bit. */
        for (int64_t n = 1; n < pool; n += 7)
            assert_true(vb_names_curve_error(&(vb_names_counts){pool, 3, h, right, 1}, n) < 1e-15);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(curve_is_the_mean_over_all_sets), cmocka_unit_test(large_pools),
                                       cmocka_unit_test(points_and_small_pools), cmocka_unit_test(halves_are_in_the_middle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
