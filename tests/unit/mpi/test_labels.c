/* Names beside the points of a scatter: those that would meet are left out. */
#include "mpi/figures/labels.h"

#include "tests/unit/vb_test.h"

static void names_that_meet_are_left_out(void **state) {
    (void)state;
    /* 700 x 130 units, letters of 7 and lines of 13 units: ten letters are a tenth of the width, a line a tenth of the height. */
    vb_label labels[] = {{.name = "0123456789", .x = 0.1, .y = 0.5},
                         {.name = "0123456789", .x = 0.15, .y = 0.55},
                         {.name = "0123456789", .x = 0.15, .y = 0.72},
                         {.name = "0123456789", .x = 0.9, .y = 0.5, .left = true},
                         {.name = "0123456789", .x = 0.75, .y = 0.5}};
    vb_labels_choose(labels, 5, 700, 130);
    assert_false(labels[0].shown); /* would cover the second point */
    assert_true(labels[1].shown);
    assert_true(labels[2].shown);
    assert_true(labels[3].shown);
    assert_false(labels[4].shown); /* meets the name before it, which ends at its point */
    vb_labels_choose(labels, 1, 700, 130);
    assert_true(labels[0].shown);
    vb_labels_choose(labels, 0, 700, 130);
}

static void letters_count_not_bytes(void **state) {
    (void)state;
    vb_label labels[] = {{.name = "日本語日本語日", .x = 0.1, .y = 0.5}, {.name = "b", .x = 0.2, .y = 0.5}};
    vb_labels_choose(labels, 2, 700, 130); /* 7 letters are 49 units of the 70 between the points, 21 bytes would be 147 */
    assert_true(labels[0].shown);
    assert_true(labels[1].shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_that_meet_are_left_out), cmocka_unit_test(letters_count_not_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
