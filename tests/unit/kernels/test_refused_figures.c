/* Tests of what the kernels of figures refuse: sums without images or direction, label spaces that cannot be. */
#include <math.h>

#include "tests/unit/vb_test.h"
#include "kernels/openness/direction.h"
#include "kernels/openness/label_space.h"
#include "kernels/openness/subsets.h"
#include "kernels/openness/tally.h"

static void subsets_without_images(void **state) {
    (void)state;
    vb_error err = {0};
    int64_t right[4] = {0}, count[4] = {0};
    double mean, means[2];
    assert_fails(vb_subsets_mean(&mean, right, count, 2, &err), VB_EDATA, "no images in the vocabularies of set 0x1");
    assert_fails(vb_subsets_means_without(means, right, count, 2, &err), VB_EDATA, "no images in the vocabularies of set 0x1");
    assert_fails(vb_subsets_means_without(means, right, count, 1, &err), VB_EINTERNAL, "subsets of 1 vocabularies less one");
}

static void sums_without_direction(void **state) {
    (void)state;
    vb_error err = {0};
    const double none[2] = {0}, endless[2] = {HUGE_VAL, 1}, some[2] = {3, 4};
    float out[2];
    assert_fails(vb_direction_of_sum(none, 2, true, out, &err), VB_EDATA, "no direction");
    assert_fails(vb_direction_of_sum(endless, 2, true, out, &err), VB_EDATA, "no direction");
    assert_ok(vb_direction_of_sum(some, 2, true, out, &err));
    assert_true(out[0] == 0.6f && out[1] == 0.8f);
}

static void spaces(void **state) {
    (void)state;
    vb_error err = {0};
    vb_memberships memberships;
    vb_tally *tally;
    const vb_protocol protocol = {.union_permutations = 2};
    int offsets[] = {1, 2}, members[] = {0, 0};
    vb_label_space space = {.classes = 1, .vocabularies = 1, .offsets = offsets, .members = members};
    assert_fails(vb_label_space_memberships_new(&memberships, &space, &err), VB_EMISMATCH, "starts at entry 1, expected 0");
    space.vocabularies = 65535; /* not too many: their entries are looked at */
    assert_fails(vb_tally_new(&tally, &space, &protocol, &err), VB_EMISMATCH, "starts at entry 1, expected 0");
    space.vocabularies = 65536;
    assert_fails(vb_tally_new(&tally, &space, &protocol, &err), VB_EUNSUPPORTED, "65536 vocabularies, at most 65535 are handled");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(subsets_without_images), cmocka_unit_test(sums_without_direction),
                                       cmocka_unit_test(spaces)};
    return cmocka_run_group_tests_name("refused figures", tests, NULL, NULL);
}
