/* Tests of accuracy at 5 and recall by class: the example of docs/protocol.md, deletions, and nothing to count. */
#include <math.h>
#include <stdbool.h>

#include "kernels/base/fault.h"
#include "kernels/openness/class_recall.h"
#include "tests/unit/near.h"
#include "tests/unit/vb_test.h"

/* 2 of 2 and 1 of 3 images right; at 5 all of them and 2 of 3; a third class has none. Without the first vocabulary, which holds
 * the first class, 2 of 3 and all of 3; without the other the first class alone. */
static const int64_t rows[3][3][VB_RECALL_COUNTS] = {{{2, 2, 2}, {0, 0, 0}, {2, 2, 2}},
                                                     {{3, 1, 2}, {3, 2, 3}, {0, 0, 0}},
                                                     {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}};

static void recall_by_hand(void **state) {
    (void)state;
    const vb_recall_counts counts = {3, 2, &rows[0][0][0]};
    vb_error err = {0};
    vb_recall found;
    assert_ok(vb_class_recall(&found, &counts, &err));
    const vb_spread *top = &found.errors[VB_RECALL_TOP_ALL], *mean = &found.errors[VB_RECALL_MEAN];
    assert_near(found.value[VB_RECALL_TOP_ALL], 4 / 5., 1e-15);
    assert_near(found.value[VB_RECALL_MEAN], 2 / 3., 1e-15);
    assert_near(found.value[VB_RECALL_MEAN_AT_TOP], 5 / 6., 1e-15);
    assert_near(mean->error[VB_SPREAD_IMAGES], 1 / 6., 1e-15);
    assert_near(mean->error[VB_SPREAD_CLASSES], sqrt(2 / 9.) / sqrt(2.), 1e-15);      /* 1 and 1/3: sd 0.471 */
    assert_near(mean->error[VB_SPREAD_VOCABULARIES], sqrt(0.5 * 2 * 1 / 36.), 1e-15); /* 2/3 and 1 */
    assert_near(top->error[VB_SPREAD_IMAGES], sqrt(3 / 2. * 2 / 3.) / 5, 1e-15);
    assert_near(top->error[VB_SPREAD_CLASSES], sqrt(2 * 2 * 4 / 25.) / 5, 1e-15); /* 2 - 8/5 and 2 - 12/5 */
    assert_near(top->error[VB_SPREAD_VOCABULARIES], 0, 0);
    assert_true(found.wilson[0] > 0.3 && found.wilson[1] < 1);
    /* Two classes leave one degree of freedom, each being alone in its stratum; images 1 + 2. */
    double low, high;
    vb_spread_interval(2 / 3., 1 / 3., 2, 1, &low, &high);
    assert_near(mean->low[VB_SPREAD_CLASSES], low, 1e-14);
    assert_near(mean->high[VB_SPREAD_CLASSES], high, 1e-14);
    vb_spread_interval(2 / 3., 1 / 6., 5, 3, &low, &high);
    assert_near(mean->low[VB_SPREAD_IMAGES], low, 1e-14);
}

static void nothing_to_count(void **state) {
    (void)state;
    const vb_recall_counts counts = {1, 2, &rows[2][0][0]};
    vb_error err = {0};
    vb_recall found;
    assert_ok(vb_class_recall(&found, &counts, &err));
    for (int f = 0; f < VB_RECALL_FIGURES; f++) assert_true(isnan(found.value[f]) && isnan(found.errors[f].error[0]));
    assert_true(isnan(found.wilson[0]));
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    const vb_recall_counts counts = {3, 2, &rows[0][0][0]};
    vb_error err = {0};
    vb_recall found;
    int failures = 0;
    for (bool done = false; !done; failures += !done) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
        vb_fault_setup(fault, 0);
        done = !vb_class_recall(&found, &counts, &err);
        vb_fault_setup(NULL, 0);
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
    }
    assert_int_equal(failures, 3 + 2 * 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(recall_by_hand), cmocka_unit_test(nothing_to_count),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
