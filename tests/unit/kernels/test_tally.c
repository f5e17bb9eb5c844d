/* Tests of tallies: what they take, that those of parts add up to that of the whole, and one that is left out. */
#include "tests/unit/kernels/openness_scene.h"
#include "kernels/base/fault.h"

static void bytes_of_a_tally_are_told_before(void **state) {
    (void)state;
    static scene s;
    random_state = 8;
    for (int n = 3; n <= 24; n += 3) {
        make_scene(&s, n, 60, 1, 0);
        vb_protocol protocol = {.sampled = n % 2, .trials = 2, .union_permutations = n % 4 ? 0 : 30};
        vb_tally *tally = tally_of(&s, &protocol);
        size_t count;
        vb_tally_counters(tally, &count);
        int64_t bytes, orders;
        vb_error err = {0};
        assert_ok(vb_tally_bytes(&s.space, &protocol, &bytes, &orders, &err));
        assert_int_equal(bytes, 8 * count);
        int drawn = (n > 20 ? n % 4 ? VB_UNION_PERMUTATIONS : 30 : 0) + (n % 2 ? 2 * n : 0);
        assert_int_equal(orders, 4 * drawn * n);
        vb_tally_free(tally);
    }
}

static void tallies_add_up(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    random_state = 7;
    for (int n = 5; n <= 24; n += 19) {
        make_scene(&s, n, 300, 1, 0);
        vb_protocol protocol = {.sampled = 1, .trials = 2, .seed = 3, .union_permutations = 20};
        vb_tally *whole = tally_of(&s, &protocol), *parts[3];
        for (int p = 0; p < 3; p++) assert_ok(vb_tally_new(&parts[p], &s.space, &protocol, &err));
        for (int x = s.images - 1; x >= 0; x--)
            vb_tally_add(parts[x * x % 3], s.label[x], s.beaten[x]); /* the third stays empty */
        size_t count, part_count;
        int64_t *wanted = vb_tally_counters(whole, &count), *sum = vb_tally_counters(parts[0], &part_count);
        assert_int_equal(count, part_count);
        for (int p = 1; p < 3; p++) {
            int64_t *part = vb_tally_counters(parts[p], &part_count);
            for (size_t i = 0; i < count; i++) sum[i] += part[i];
        }
        assert_memory_equal(sum, wanted, count * sizeof *sum);
        for (int p = 0; p < 3; p++) vb_tally_free(parts[p]);
        vb_tally_free(whole);
    }
}

/* Acc-E without one of some tallies: that of a tally of the others; a vocabulary whose images are all in it is passed over. */
static void one_tally_is_left_out(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    random_state = 11;
    for (int n = 2; n <= 24; n += 11) {
        make_scene(&s, n, 200, 1, 0);
        vb_tally *folds[3], *others;
        vb_openness_result result;
        double acc_e;
        for (int f = 0; f < 3; f++) assert_ok(vb_tally_new(&folds[f], &s.space, &(vb_protocol){0}, &err));
        for (int x = 0; x < s.images; x++) /* the first 2 n images: two of every vocabulary; they stay inside */
            vb_tally_add(folds[x < 2 * n ? x % 2 : x % 3], s.label[x], s.beaten[x]);
        assert_ok(vb_tally_new(&others, &s.space, &(vb_protocol){0}, &err));
        for (int x = 0; x < s.images; x++)
            if (x < 2 * n || x % 3 != 2) vb_tally_add(others, s.label[x], s.beaten[x]);
        assert_ok(vb_openness(&result, others, &err));
        assert_ok(vb_openness_acc_e_without((const vb_tally *const *)folds, 3, 2, &acc_e, &err));
        assert_true(acc_e == result.acc_e);
        vb_openness_free(&result);
        vb_tally_free(others);
        for (int f = 0; f < 3; f++) vb_tally_free(folds[f]);
    }
    /* Two vocabularies of a class each: an image of a that is right, and one that b takes; all of b is in the other tally. */
    const int offsets[] = {0, 1, 2}, members[] = {0, 1};
    const vb_label_space space = {2, 2, offsets, members, NULL, false};
    const uint8_t right[] = {0, 0}, harmed[] = {0, 1};
    vb_tally *two[2];
    double acc_e;
    for (int f = 0; f < 2; f++) assert_ok(vb_tally_new(&two[f], &space, &(vb_protocol){0}, &err));
    vb_tally_add(two[0], 0, right);
    vb_tally_add(two[0], 0, harmed);
    vb_tally_add(two[1], 1, right);
    assert_ok(vb_openness_acc_e_without((const vb_tally *const *)two, 2, 1, &acc_e, &err));
    assert_true(acc_e == 0.75);
    assert_ok(vb_openness_acc_e_without((const vb_tally *const *)two, 2, 0, &acc_e, &err));
    assert_true(acc_e == 1);
    assert_ok(vb_openness_acc_e_without((const vb_tally *const *)two, 1, 0, &acc_e, &err));
    assert_true(acc_e == 0);
    vb_fault_setup("alloc:1+:ENOMEM", 0);
    assert_fails(vb_openness_acc_e_without((const vb_tally *const *)two, 2, 0, &acc_e, &err), VB_EMEMORY, "openness figures");
    vb_fault_setup(NULL, 0);
    for (int f = 0; f < 2; f++) vb_tally_free(two[f]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_of_a_tally_are_told_before), cmocka_unit_test(tallies_add_up),
                                       cmocka_unit_test(one_tally_is_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
