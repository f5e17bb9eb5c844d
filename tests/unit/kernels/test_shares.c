/* Tests of shares and their errors: against the tally of images that nothing beats but their own vocabulary, and by hand. */
#include "kernels/openness/shares.h"

#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/openness/figure_errors.h"
#include "tests/unit/kernels/openness_scene.h"
#include "tests/unit/near.h"

enum { MOST = 5 };

/* What the scene's images give: right where their own vocabulary does not beat them. */
typedef struct counted {
    vb_memberships memberships;
    int64_t images[3 * MAX_CLASSES], right[3 * MAX_CLASSES], both[3 * MAX_CLASSES], *pairs;
    vb_share_counts counts;
} counted;

static void count(counted *its, const scene *s) {
    vb_error err = {0};
    memset(its, 0, sizeof *its);
    assert_ok(vb_label_space_memberships_new(&its->memberships, &s->space, &err));
    its->pairs = vb_label_space_pairs_new(&its->memberships, s->space.classes, &err);
    assert_non_null(its->pairs);
    for (int x = 0; x < s->images; x++) {
        const int c = s->label[x], first = its->memberships.offsets[c], n = its->memberships.offsets[c + 1] - first;
        const int *of = its->memberships.vocabularies + first, *slots = its->memberships.slots + first;
        for (int j = 0; j < n; j++) {
            its->images[slots[j]]++;
            its->right[slots[j]] += !s->beaten[x][of[j]];
            for (int i = 0; i < j; i++)
                its->both[vb_label_space_pair(its->pairs, c, i, j)] += !s->beaten[x][of[i]] && !s->beaten[x][of[j]];
        }
    }
    its->counts = (vb_share_counts){&s->space, &its->memberships, its->images, its->right, its->pairs, its->both};
}

static void uncount(counted *its) {
    vb_label_space_memberships_free(&its->memberships);
    vb_free(its->pairs);
}

static void same(const vb_spread *found, const vb_spread *wanted) {
    for (int k = 0; k < VB_SPREAD_KINDS; k++) {
        assert_near_or_none(found->error[k], wanted->error[k], 1e-13);
        assert_near_or_none(found->low[k], wanted->low[k], 1e-13);
        assert_near_or_none(found->high[k], wanted->high[k], 1e-13);
    }
}

/* Acc-C is such a share, and has its errors from other counts. */
static void errors_are_those_of_acc_c(void **state) {
    (void)state;
    static scene s;
    static counted its;
    vb_error err = {0};
    random_state = 31;
    for (int round = 0; round < 30; round++) {
        const int n = 1 + round % MOST;
        vb_openness_result result;
        vb_figure_errors errors;
        vb_spread mean, each[MOST], all;
        make_scene(&s, n, 20 + round, round % 2, 0);
        vb_tally *tally = tally_of(&s, &(vb_protocol){0});
        assert_ok(vb_openness(&result, tally, &err));
        assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
        count(&its, &s);
        assert_ok(vb_shares_errors(&mean, each, &its.counts, &err));
        same(&mean, &errors.figure[VB_ACC_C]);
        for (int t = 0; t < n; t++) same(&each[t], &errors.vocabulary[t].figure[VB_ACC_C]);
        /* All images, each once: a vocabulary of all classes. */
        int64_t images[MAX_CLASSES] = {0}, right[MAX_CLASSES] = {0};
        for (int x = 0; x < s.images; x++) {
            bool beaten = false;
            for (int v = 0; v < n; v++) beaten |= s.beaten[x][v];
            if (own_vocabulary(&s, s.label[x]) < 0) continue;
            images[s.label[x]]++;
            right[s.label[x]] += !beaten;
        }
        assert_ok(vb_shares_of_images(&all, images, right, s.space.classes, &err));
        assert_near_or_none(all.error[VB_SPREAD_IMAGES], errors.figure[VB_TOP1_ALL].error[VB_SPREAD_IMAGES], 1e-13);
        assert_near_or_none(all.error[VB_SPREAD_CLASSES], errors.figure[VB_TOP1_ALL].error[VB_SPREAD_CLASSES], 1e-13);
        assert_true(isnan(all.error[VB_SPREAD_VOCABULARIES]));
        uncount(&its);
        vb_figure_errors_free(&errors);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* a: c0 with 1 of 2, c1 with 1 of 1; b: c2 with 2 of 2. */
static void errors_by_hand(void **state) {
    (void)state;
    static scene s;
    static counted its;
    vb_error err = {0};
    vb_spread mean, each[2];
    make_by_hand(&s);
    count(&its, &s);
    assert_ok(vb_shares_errors(&mean, each, &its.counts, &err));
    assert_near(each[0].error[VB_SPREAD_IMAGES], sqrt(1 + 1 / 6.) / 3, 1e-15);
    assert_near(each[1].error[VB_SPREAD_IMAGES], 0, 0);
    assert_near(mean.error[VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    uncount(&its);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    static scene s;
    static counted its;
    vb_error err = {0};
    vb_spread mean, each[MOST];
    const int64_t one[] = {1};
    int failures = 0;
    random_state = 32;
    make_scene(&s, 3, 30, 1, 0);
    count(&its, &s);
    for (bool done = false; !done;) {
        char fault[32];
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
        vb_fault_setup(fault, 0);
        done = !vb_shares_errors(&mean, each, &its.counts, &err);
        vb_fault_setup(NULL, 0);
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
        failures += !done;
    }
    assert_int_equal(failures, 4 + 2);
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_shares_of_images(&mean, one, one, 1, &err), VB_EMEMORY, "standard errors");
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_null(vb_label_space_pairs_new(&its.memberships, 1, &err));
    vb_fault_setup(NULL, 0);
    uncount(&its);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_those_of_acc_c), cmocka_unit_test(errors_by_hand),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
