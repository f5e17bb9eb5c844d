/* Doubles to the floats that bound them, against nextafterf from every side. */
#include <float.h>
#include <math.h>

#include "kernels/exact/round_outward.h"
#include "kernels/exact/two_sum.h"
#include "tests/unit/vb_test.h"

static void floats_stay(void **state) {
    (void)state;
    const float values[] = {0, 1, -1, 0x1p-149f, -0x1p-149f, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, 3.25f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_true(vb_round_outward_up((double)values[i]) == values[i]);
        assert_true(vb_round_outward_down((double)values[i]) == values[i]);
    }
}

static void between_two_floats_the_outer_one(void **state) {
    (void)state;
    const float values[] = {0, 1, -1, 0x1p-149f, -0x1p-149f, 0x1p-126f, 3.25f, -7e20f, 0x1.fffffcp127f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        float next = nextafterf(values[i], INFINITY);
        double gap = (double)next - (double)values[i];
        for (int part = 1; part < 16; part++) {
            double between = (double)values[i] + gap * part / 16;
            assert_true(vb_round_outward_down(between) == values[i]);
            assert_true(vb_round_outward_up(between) == next);
        }
    }
}

static void beyond_the_floats(void **state) {
    (void)state;
    assert_true(vb_round_outward_up(1e300) == INFINITY && vb_round_outward_down(1e300) == FLT_MAX);
    assert_true(vb_round_outward_up(-1e300) == -FLT_MAX && vb_round_outward_down(-1e300) == -INFINITY);
    assert_true(vb_round_outward_up(1e-300) == 0x1p-149f && vb_round_outward_down(1e-300) == 0);
    assert_true(isnan(vb_round_outward_up(NAN)) && isnan(vb_round_outward_down(NAN)));
}

static void a_sum_and_its_rest(void **state) {
    (void)state;
    double sum, rest = vb_two_sum(1, 0x1p-80, &sum);
    assert_true(sum == 1 && rest == 0x1p-80);
    rest = vb_two_sum(0x1p-80, -1, &sum);
    assert_true(sum == -1 && rest == 0x1p-80);
    const double sums[8] = {1, 0x1p-60, 3}, errors[8] = {0x1p-100};
    vb_two_sum_join(sums, errors, &sum, &rest);
    assert_true(sum == 4 && rest == 0x1p-60 + 0x1p-100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(floats_stay), cmocka_unit_test(between_two_floats_the_outer_one),
                                       cmocka_unit_test(beyond_the_floats), cmocka_unit_test(a_sum_and_its_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
