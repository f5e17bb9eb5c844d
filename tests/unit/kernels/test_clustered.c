/* Tests of clustered differences: by enumeration, Holm's example, and by simulation: under class effects the test by classes
 * rejects as often as it says, and the one by images does not. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/openness/clustered.h"

static uint64_t random_state;

/* 0 to 1, not 1 */
static double uniform(void) { return (double)random_below(&random_state, UINT32_C(1) << 30) * 0x1p-30; }

static void flips_of_classes_are_those_of_their_sums(void **state) {
    (void)state;
    vb_error err = {0};
    enum { IMAGES = 60, CLASSES = 9 };
    random_state = 3;
    const vb_flip_drawing drawing = {1000, 5};
    for (int round = 0; round < 20; round++) {
        double differences[IMAGES], sums[CLASSES] = {0}, observed = 0;
        int class[IMAGES], hits = 0, moving = 0;
        for (int i = 0; i < IMAGES; i++) {
            class[i] = (int)random_below(&random_state, CLASSES);
            differences[i] = ((int)random_below(&random_state, 5) - 2) / 4.0;
            sums[class[i]] += differences[i];
            observed += differences[i];
        }
        for (int c = 0; c < CLASSES; c++) moving += sums[c] != 0;
        for (int signs = 0; signs < 1 << CLASSES; signs++) {
            double sum = 0;
            for (int c = 0; c < CLASSES; c++) sum += signs >> c & 1 ? -sums[c] : sums[c];
            hits += fabs(sum) >= fabs(observed);
        }
        vb_flip_test test;
        assert_ok(vb_clustered_sign_flips(&test, differences, class, IMAGES, CLASSES, &drawing, &err));
        assert_true(test.exact && test.moving == moving);
        assert_true(fabs(test.p - (double)hits / (1 << CLASSES)) < 1e-15);
    }
    /* What cancels but for rounding does not move. */
    const double tenths[] = {0.1, 0.2, -0.3, 1};
    vb_flip_test test;
    assert_ok(vb_clustered_sign_flips(&test, tenths, (const int[]){0, 0, 0, 1}, 4, 2, &drawing, &err));
    assert_int_equal(test.moving, 1);
    assert_fails(vb_clustered_sign_flips(&test, (const double[]){NAN}, (const int[]){0}, 1, 1, &drawing, &err), VB_EDATA,
                 "no number");
}

/* Holm's own example, with ties, a NaN, and what would be above 1. */
static void p_values_by_holm(void **state) {
    (void)state;
    vb_error err = {0};
    double found[6];
    assert_ok(vb_clustered_holm(found, (const double[]){0.01, 0.04, 0.03, 0.005, NAN, 0.9}, 6, &err));
    const double wanted[] = {0.04, 0.09, 0.09, 0.025, NAN, 0.9};
    for (int i = 0; i < 6; i++)
        if (i == 4) assert_true(isnan(found[i]));
        else assert_true(fabs(found[i] - wanted[i]) < 1e-15);
    assert_ok(vb_clustered_holm(found, (const double[]){0.5, 0.02, 0.02, 0.7}, 4, &err));
    assert_true(found[0] == 1 && found[3] == 1 && fabs(found[1] - 0.08) < 1e-15 && found[2] == found[1]);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_clustered_holm(found, found, 1, &err), VB_EMEMORY, "no memory");
    vb_fault_setup(NULL, 0);
    for (int nth = 1; nth <= 3; nth++) {
        char fault[32];
        vb_flip_test test;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", nth);
        vb_fault_setup(fault, 0);
        assert_int_equal(vb_clustered_sign_flips(&test, found, (const int[]){0}, 1, 1, &(vb_flip_drawing){9, 0}, &err), -1);
        assert_int_equal(err.code, VB_EMEMORY);
        vb_fault_setup(NULL, 0);
    }
}

/* How often tests at 5 % reject two models that are as good as each other: 68 classes, in which the second one's accuracy is off
 * by +-effect, at random. Scores are those of Acc-E: 0, or 1 / (b + 1). */
enum { EXPERIMENTS = 10000, CLASSES = 68, MOST = 50, BY_IMAGES = 39 /* 2 of 40 and 10 of 200 are 5 % */, BY_CLASSES = 199 };

static double draw_score(double accuracy) {
    int b = random_below(&random_state, 3) ? 0 : (int)random_below(&random_state, 16);
    return uniform() < accuracy ? 1.0 / (b + 1) : 0;
}

static void simulate(int experiments, int images_a_class, double effect, double rate[2]) {
    static double differences[CLASSES * MOST];
    static int class[CLASSES * MOST];
    vb_error err = {0};
    int rejected[2] = {0};
    for (int experiment = 0; experiment < experiments; experiment++) {
        int n = 0;
        for (int c = 0; c < CLASSES; c++) {
            double shift = random_below(&random_state, 2) ? effect : -effect;
            for (int i = 0; i < images_a_class; i++, n++) {
                differences[n] = draw_score(0.7 + shift / 2) - draw_score(0.7 - shift / 2);
                class[n] = c;
            }
        }
        const vb_flip_drawing drawing = {BY_CLASSES, (uint32_t)experiment};
        vb_flip_test by_image, by_class;
        assert_ok(vb_paired_sign_flips(&by_image, differences, n, BY_IMAGES, (uint32_t)experiment, &err));
        assert_ok(vb_clustered_sign_flips(&by_class, differences, class, n, CLASSES, &drawing, &err));
        rejected[0] += by_image.p <= 0.05;
        rejected[1] += by_class.p <= 0.05;
    }
    for (int k = 0; k < 2; k++) rate[k] = (double)rejected[k] / experiments;
    print_message("# %d images a class, effects of %g: by images %.4f, by classes %.4f\n", images_a_class, effect, rate[0],
                  rate[1]);
}

static void classes_hold_the_level(void **state) {
    (void)state;
    const double error = sqrt(0.05 * 0.95 / EXPERIMENTS); /* of a share of 5 % among the experiments */
    double rate[2];
    random_state = 2026;
    simulate(EXPERIMENTS, 7, 0.1, rate);
    assert_true(fabs(rate[1] - 0.05) < 2 * error);
    assert_true(rate[0] > 0.05 + 2 * error);
    simulate(EXPERIMENTS, 7, 0, rate); /* without class effects both hold it */
    assert_true(fabs(rate[1] - 0.05) < 2 * error && fabs(rate[0] - 0.05) < 2 * error);
    simulate(EXPERIMENTS / 4, MOST, 0.1, rate);
    assert_true(fabs(rate[1] - 0.05) < 2 * error * sqrt(4));
    assert_true(rate[0] > 0.09);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(flips_of_classes_are_those_of_their_sums),
                                       cmocka_unit_test(p_values_by_holm), cmocka_unit_test(classes_hold_the_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
