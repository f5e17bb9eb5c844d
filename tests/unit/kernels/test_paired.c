/* Paired statistics against SciPy 1.10 (binomtest, permutation_test, sem) and NumPy's generator. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/openness/paired.h"
#include "tests/unit/vb_test.h"

static void assert_close(double found, double expected, double relative) {
    if (!(fabs(found - expected) <= relative * fabs(expected))) fail_msg("expected %.17g, found %.17g", expected, found);
}

/* scipy.stats.binomtest(min(a, b), a + b, 0.5).pvalue */
static void mcnemar_is_scipy_binomtest(void **state) {
    static const struct {
        int64_t a, b;
        double p, relative;
    } cases[] = {{0, 1, 1, 0},
                 {3, 3, 1, 0},
                 {16, 15, 1, 1e-15},
                 {1, 9, 0.021484375, 1e-14},
                 {7, 16, 0.0931396484375, 1e-14},
                 {10, 25, 0.016673847800120715, 1e-13},
                 {121, 59, 4.4344492637551645e-06, 1e-12},
                 {500, 400, 0.00095644413691893732, 1e-12},
                 {1000, 1200, 2.181702640791419e-05, 1e-12},
                 {50000, 49000, 0.0014980826229750027, 1e-10},
                 {499000, 501000, 0.045608299865389515, 1e-10},
                 {0, 1000, 1.8665272370064378e-301, 1e-12}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_close(vb_paired_mcnemar(cases[i].a, cases[i].b), cases[i].p, cases[i].relative);
        assert_close(vb_paired_mcnemar(cases[i].b, cases[i].a), cases[i].p, cases[i].relative);
    }
    assert_true(vb_paired_mcnemar(0, 0) == 1);
    assert_true(vb_paired_mcnemar(12, 2000) == 0 || vb_paired_mcnemar(12, 2000) < 1e-300);
    assert_true(vb_paired_mcnemar(100000, 200000) == 0);
}

/* The tail by Pascal's triangle, for every split of up to 60 coins. */
static void mcnemar_is_pascals_triangle(void **state) {
    double row[61] = {1};
    (void)state;
    for (int n = 1; n <= 60; n++) {
        for (int k = n; k > 0; k--) row[k] = (row[k] + row[k - 1]) / 2;
        row[0] /= 2;
        for (int k = 0; 2 * k < n; k++) {
            double tail = 0;
            for (int i = 0; i <= k; i++) tail += row[i];
            assert_close(vb_paired_mcnemar(k, n - k), 2 * tail < 1 ? 2 * tail : 1, 1e-13);
        }
    }
}

static void means_are_numpys(void **state) {
    double a[9], b[9];
    vb_paired_mean mean;
    (void)state;
    for (int i = 0; i < 9; i++) {
        a[i] = i * 5 % 7 / 3.0;
        b[i] = i * 4 % 5 / 4.0;
    }
    vb_paired_means(&mean, a, b, 9);
    assert_close(mean.a, 0.96296296296296291, 1e-15);
    assert_close(mean.b, 0.52777777777777779, 1e-15);
    assert_close(mean.difference, -0.43518518518518512, 1e-15);
    assert_close(mean.error, 0.28149518728815298, 1e-14); /* scipy.stats.sem(b - a) */
    vb_paired_means(&mean, a, b, 1);
    assert_true(mean.a == a[0] && isnan(mean.error));
    vb_paired_means(&mean, a, b, 0);
    assert_true(isnan(mean.a) && isnan(mean.difference));
}

/* scipy.stats.permutation_test(..., permutation_type='samples', n_resamples=inf).pvalue of these twelve sixths. */
static void all_flips_are_scipys(void **state) {
    static const int sixths[] = {2, -1, 4, 1, 1, 2, -1, 4, -2, -1, 4, 0};
    double differences[12];
    vb_flip_test test;
    vb_error err;
    (void)state;
    for (int i = 0; i < 12; i++) differences[i] = sixths[i] / 6.0;
    assert_ok(vb_paired_sign_flips(&test, differences, 12, 10, 0, &err));
    assert_true(test.exact && test.moving == 11 && test.trials == 2048);
    assert_true(test.p == 0.142578125);
}

/* By brute force over all sign vectors of thirds and sevenths, whose sums tie often. */
static void all_flips_count_ties(void **state) {
    (void)state;
    for (int n = 0; n <= 12; n++) {
        int twentyfirsts[12], observed = 0;
        double differences[12];
        for (int i = 0; i < n; i++) {
            twentyfirsts[i] = i % 2 ? 7 * (i % 3 + 1) : -3 * (i % 4 + 1);
            differences[i] = twentyfirsts[i] / 21.0;
            observed += twentyfirsts[i];
        }
        int hits = 0;
        for (int signs = 0; signs < 1 << n; signs++) {
            int sum = 0;
            for (int i = 0; i < n; i++) sum += signs >> i & 1 ? -twentyfirsts[i] : twentyfirsts[i];
            hits += abs(sum) >= abs(observed);
        }
        vb_flip_test test;
        vb_error err;
        assert_ok(vb_paired_sign_flips(&test, differences, n, 10, 0, &err));
        assert_true(test.p == (double)hits / (1 << n));
    }
}

/* NumPy: words = RandomState(42).randint(0, 2**32, 2, dtype=uint32) a trial, bits from the lowest one on; 131 of 2000 trials hit.
 * permutation_test with 200,000 resamples of its own gives 0.058. */
static void drawn_flips_are_numpys(void **state) {
    double differences[50];
    vb_flip_test test;
    vb_error err;
    (void)state;
    for (int i = 0; i < 50; i++) differences[i] = (i * 37 % 23 - 9) / 7.0;
    assert_ok(vb_paired_sign_flips(&test, differences, 50, 2000, 42, &err));
    assert_true(!test.exact && test.moving == 48 && test.trials == 2000);
    assert_close(test.p, 132 / 2001.0, 1e-15);
    assert_ok(vb_paired_sign_flips(&test, differences, 50, 200000, 1, &err));
    assert_true(fabs(test.p - 0.0581) < 0.002);
}

static void flips_of_bad_input(void **state) {
    double differences[] = {1, NAN, INFINITY};
    vb_flip_test test;
    vb_error err;
    (void)state;
    assert_fails(vb_paired_sign_flips(&test, differences, 3, 10, 0, &err), VB_EDATA, "difference 1 is no number");
    assert_fails(vb_paired_sign_flips(&test, differences + 2, 1, 10, 0, &err), VB_EDATA, "difference 0");
    differences[1] = 2;
    for (int n = 1; n <= 2; n++) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        assert_int_equal(vb_fault_setup(fault, 0), 0);
        assert_fails(vb_paired_sign_flips(&test, differences, 2, 10, 0, &err), VB_EMEMORY, "sign flips");
    }
    assert_int_equal(vb_fault_setup(NULL, 0), 0);
    assert_ok(vb_paired_sign_flips(&test, differences, 2, 10, 0, &err));
    assert_true(test.p == 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(mcnemar_is_scipy_binomtest),
                                       cmocka_unit_test(mcnemar_is_pascals_triangle),
                                       cmocka_unit_test(means_are_numpys),
                                       cmocka_unit_test(all_flips_are_scipys),
                                       cmocka_unit_test(all_flips_count_ties),
                                       cmocka_unit_test(drawn_flips_are_numpys),
                                       cmocka_unit_test(flips_of_bad_input)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
