/* Tests of exact sums of doubles: against Python's fractions, in every order, across states, at the ends of the range. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/exact/fixed_sum.h"

static const struct {
    int n;
    double terms[16], sum;
} golden[] = {
    /* float(sum(map(fractions.Fraction, terms))) */
    {3, {0x1.1ccf385ebc8a0p+1023, 0x1.0000000000000p+0, -0x1.1ccf385ebc8a0p+1023}, 0x1.0000000000000p+0},
    {3, {0x0.0000000000001p-1022, 0x0.0000000000001p-1022, 0x0.0000000000001p-1022}, 0x0.0000000000003p-1022},
    {10,
     {0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4,
      0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4, 0x1.999999999999ap-4},
     0x1.0000000000000p+0},
    {2, {0x1.0000000000000p+53, 0x1.0000000000000p+0}, 0x1.0000000000000p+53},
    {3, {0x1.0000000000000p+53, 0x1.0000000000000p+0, 0x0.0000000000001p-1022}, 0x1.0000000000001p+53},
    {2, {0x1.0000000000001p+53, 0x1.0000000000000p+0}, 0x1.0000000000002p+53},
    {3, {-0x1.0000000000000p+53, -0x1.0000000000000p+0, -0x1.0000000000000p-500}, -0x1.0000000000001p+53},
    {3, {0x1.0000000000000p+1023, 0x1.0000000000000p+1023, -0x1.0000000000000p+1023}, 0x1.0000000000000p+1023},
    {2, {0x1.0000000000000p-1022, -0x0.0000000000001p-1022}, 0x0.fffffffffffffp-1022},
    {2, {0x1.0000000000000p+0, -0x1.0000000000000p+0}, 0x0.0p+0},
    {3, {0x1.4d8399f767c45p+23, 0x1.8fbbcbde5c099p+445, -0x1.11fdecb91ce37p-243}, 0x1.8fbbcbde5c099p+445},
    {7,
     {-0x1.d4330f1446beap+375, -0x1.b8c9ebd69fe29p-401, -0x1.0b125ec1d7da0p-900, -0x1.10dff076ce2efp+371, -0x1.5387777330bdbp+107,
      0x1.1ea36f17fd374p-3, 0x1.64138a6233255p-811},
     -0x1.e5410e1bb3a19p+375},
    {12,
     {0x1.7688de6a16a3bp-381, 0x1.dd97f1cfb10f6p+499, -0x1.271007814e8a2p+486, 0x1.959ce3f1f65a8p+536, 0x1.afe878b33e968p-606,
      0x1.4235992edcf45p-2, -0x1.edb20035b7399p-77, 0x1.c966c377b9aa2p+648, 0x1.c82b1478c281dp-278, -0x1.1cc9dea959c21p+482,
      0x1.229f1c4069545p+572, -0x1.d8b7628dbd25ep+49},
     0x1.c966c377b9aa2p+648},
    {12,
     {0x1.30474d09350f2p-44, 0x1.e306913c22bc8p-7, -0x1.7e428e6f12bb6p-61, 0x1.e3ac62ef8a30cp-61, -0x1.2984441cfae1cp-34,
      0x1.d72b8efdbff98p-40, 0x1.7d5876154f5d0p-24, -0x1.7da45a09dc944p-37, 0x1.4151938125520p+22, 0x1.017ed5346c6e0p-39,
      0x1.c38f367bf9ab0p+27, -0x1.36655704479f0p+53},
     -0x1.36655690e12e4p+53},
};
enum { GOLDEN = sizeof golden / sizeof *golden };

static void sums_are_rounded_once(void **state) {
    (void)state;
    for (int g = 0; g < GOLDEN; g++)
        for (int sign = -1; sign <= 1; sign += 2) {
            vb_fixed_sum sum = {0};
            for (int i = 0; i < golden[g].n; i++) vb_fixed_sum_add(&sum, sign * golden[g].terms[i]);
            double value = vb_fixed_sum_value(&sum);
            if (value != sign * golden[g].sum) fail_msg("case %d: %a instead of %a", g, value, sign * golden[g].sum);
        }
}

static void order_and_grouping_do_not_show(void **state) {
    (void)state;
    uint64_t random = 1;
    double terms[1000];
    for (int i = 0; i < 1000; i++) {
        random_next64(&random);
        terms[i] = ldexp((double)(int64_t)random, (int)(random >> 57) - 64);
    }
    vb_fixed_sum forward = {0}, parts[3] = {{{0}, 0, 0}}, joined = {0}, added = {0};
    for (int i = 0; i < 1000; i++) vb_fixed_sum_add(&forward, terms[i]);
    for (int i = 999; i >= 0; i--) vb_fixed_sum_add(&parts[i % 3], terms[i]);
    for (int p = 0; p < 3; p++) {
        vb_fixed_sum_join(&joined, &parts[p]);
        vb_fixed_sum_settle(&parts[p]);
        for (int c = 0; c < VB_FIXED_COUNTERS; c++) ((int64_t *)&added)[c] += ((int64_t *)&parts[p])[c]; /* as MPI_SUM does */
    }
    double value = vb_fixed_sum_value(&forward), others[2] = {vb_fixed_sum_value(&joined), vb_fixed_sum_value(&added)};
    assert_memory_equal(&value, &others[0], sizeof value);
    assert_memory_equal(&value, &others[1], sizeof value);
    /* What was added can be taken away to the last bit. */
    for (int i = 0; i < 1000; i++) vb_fixed_sum_add(&added, -terms[i]);
    assert_true(vb_fixed_sum_value(&added) == 0);
}

static void ends_of_the_range(void **state) {
    (void)state;
    vb_fixed_sum sum = {0};
    assert_true(vb_fixed_sum_value(&sum) == 0);
    for (int i = 0; i < 100; i++) vb_fixed_sum_add(&sum, 0x1.fffffffffffffp1023);
    assert_true(isinf(vb_fixed_sum_value(&sum)) && vb_fixed_sum_value(&sum) > 0);
    for (int i = 0; i < 99; i++) vb_fixed_sum_add(&sum, -0x1.fffffffffffffp1023);
    assert_true(vb_fixed_sum_value(&sum) == 0x1.fffffffffffffp1023);
    for (int i = 0; i < 3; i++) vb_fixed_sum_add(&sum, -0x1.fffffffffffffp1023);
    assert_true(isinf(vb_fixed_sum_value(&sum)) && vb_fixed_sum_value(&sum) < 0);
    vb_fixed_sum_add(&sum, NAN);
    assert_true(isnan(vb_fixed_sum_value(&sum)));
    vb_fixed_sum other = {0};
    vb_fixed_sum_add(&other, INFINITY);
    vb_fixed_sum_join(&other, &sum);
    assert_int_equal(other.broken, 2);
    /* Settling in between changes nothing. */
    vb_fixed_sum settled = {0};
    for (int i = 0; i < 1000; i++) {
        vb_fixed_sum_add(&settled, i % 2 ? -0x1.23456789abcdep-700 : 0x1.fp3);
        if (i % 7 == 0) vb_fixed_sum_settle(&settled);
    }
    for (int i = 0; i < 500; i++) vb_fixed_sum_add(&settled, -0x1.fp3);
    for (int i = 0; i < 499; i++) vb_fixed_sum_add(&settled, 0x1.23456789abcdep-700);
    assert_true(vb_fixed_sum_value(&settled) == -0x1.23456789abcdep-700);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_rounded_once), cmocka_unit_test(order_and_grouping_do_not_show),
                                       cmocka_unit_test(ends_of_the_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
