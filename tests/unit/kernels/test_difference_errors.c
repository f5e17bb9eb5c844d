/* Tests of the errors of differences between two models: against the definition, and experiments without a vocabulary. */
#include "kernels/openness/difference_errors.h"

#include <math.h>

#include "kernels/base/fault.h"
#include "tests/unit/kernels/openness_scene.h"
#include "tests/unit/near.h"

enum { MOST = 6 /* vocabularies */ };

/* Two models on the images of one scene, B having them, and its vocabularies unless by hand, in the opposite order. */
typedef struct duel {
    scene s[2];
    vb_memberships memberships[2];
    uint8_t *beaten[2], right[2][MAX_IMAGES];
    int64_t image[2][MAX_IMAGES];
    int place[2][MOST];
    bool opposite; /* vocabularies of B */
    vb_judged_pairs pairs;
} duel;

/* What the view of the scenes is made of; a scene whose vocabularies are all there. */
static void look_at(duel *its) {
    vb_error err = {0};
    const int n = its->s[0].space.vocabularies;
    its->pairs = (vb_judged_pairs){.vocabularies = n, .place = {its->place[0], its->place[1]}};
    for (int v = 0; v < n; v++) {
        its->place[0][v] = v;
        its->place[1][v] = its->opposite ? n - 1 - v : v;
    }
    for (int side = 0; side < 2; side++) {
        scene *s = &its->s[side];
        assert_ok(vb_label_space_memberships_new(&its->memberships[side], &s->space, &err));
        its->beaten[side] = malloc((size_t)s->images * (size_t)n);
        assert_non_null(its->beaten[side]);
        for (int x = 0; x < s->images; x++) {
            its->right[side][x] = 1;
            for (int v = 0; v < n; v++) its->right[side][x] &= !(its->beaten[side][x * n + v] = s->beaten[x][v]);
        }
        its->pairs.side[side] = (vb_judged){&s->space, &its->memberships[side], s->label, its->beaten[side], its->right[side]};
        its->pairs.image[side] = its->image[side];
    }
    for (int x = 0; x < its->s[0].images; x++) { /* images of no vocabulary are in no record */
        if (own_vocabulary(&its->s[0], its->s[0].label[x]) < 0) continue;
        its->image[0][its->pairs.count] = x;
        its->image[1][its->pairs.count++] = its->s[0].images - 1 - x;
    }
}

static void look_away(duel *its) {
    for (int side = 0; side < 2; side++) {
        vb_label_space_memberships_free(&its->memberships[side]);
        free(its->beaten[side]);
    }
}

static void make_duel(duel *its, int n, int images, int shared) {
    make_scene(&its->s[0], n, images, shared, 0);
    its->s[1] = its->s[0];
    its->opposite = true;
    for (int v = 0, used = 0; v < n; v++) {
        for (int i = its->s[0].offsets[n - 1 - v]; i < its->s[0].offsets[n - v]; i++)
            its->s[1].members[used++] = its->s[0].members[i];
        its->s[1].offsets[v + 1] = used;
    }
    for (int x = 0; x < its->s[0].images; x++) {
        const int y = its->s[0].images - 1 - x;
        its->s[1].label[y] = its->s[0].label[x];
        for (int v = 0; v < n; v++)
            its->s[1].beaten[y][n - 1 - v] = random_int(0, 3) ? its->s[0].beaten[x][v] : random_int(0, 1) == 0;
    }
    for (int side = 0; side < 2; side++)
        its->s[side].space.offsets = its->s[side].offsets, its->s[side].space.members = its->s[side].members;
}

/* ---- by the definition ---- */

/* The score of image x of t, right within it or not; u: a vocabulary that is not there, -1 for none. */
static double score_of(const scene *s, int x, int t, int figure, int u) {
    const int m = s->space.vocabularies - 1 - (u >= 0);
    int b = 0;
    for (int v = 0; v < s->space.vocabularies; v++) b += v != t && v != u && s->beaten[x][v];
    if (figure == VB_TOP1_ALL) return !b && !(t >= 0 && s->beaten[x][t]);
    if (s->beaten[x][t]) return figure == VB_ACC_S && !m ? NAN : 0;
    return figure == VB_ACC_C ? 1 : figure == VB_ACC_E ? 1. / (b + 1) : m ? (m - b) / (m * (b + 1.)) : NAN;
}

static double difference_of(const duel *its, int64_t i, int t, int figure, int u) {
    const int in_b = t < 0 ? t : its->place[1][t], gone = u < 0 ? u : its->place[1][u];
    return score_of(&its->s[1], (int)its->image[1][i], in_b, figure, gone) -
           score_of(&its->s[0], (int)its->image[0][i], t, figure, u);
}

static int class_of(const duel *its, int64_t i) { return its->s[0].label[its->image[0][i]]; }

/* The mean over the images of t, of all where t is -1; those whose class u alone holds are not there. */
static double mean_of(const duel *its, int t, int figure, int u) {
    double sum = 0;
    int images = 0;
    for (int64_t i = 0; i < its->pairs.count; i++) {
        const int c = class_of(its, i);
        bool left = false;
        for (int v = 0; v < its->pairs.vocabularies; v++) left |= v != u && holds(&its->s[0], v, c);
        if (!left || (t >= 0 && !holds(&its->s[0], t, c))) continue;
        sum += difference_of(its, i, t, figure, u);
        images++;
    }
    return images ? sum / images : NAN;
}

/* The variances of t's mean, of all images where t is -1: strata are classes, and clusters. */
static void variances_of(const duel *its, int t, int figure, double out[2]) {
    int classes = 0, images = 0;
    double mean = mean_of(its, t, figure, -1), clusters = 0;
    out[0] = 0;
    for (int64_t i = 0; i < its->pairs.count; i++) images += t < 0 || holds(&its->s[0], t, class_of(its, i));
    for (int c = 0; c < its->s[0].space.classes; c++) {
        double sum = 0, squares = 0;
        int n = 0;
        if (t >= 0 && !holds(&its->s[0], t, c)) continue;
        for (int64_t i = 0; i < its->pairs.count; i++)
            if (class_of(its, i) == c) sum += difference_of(its, i, t, figure, -1), n++;
        if (!n) continue;
        for (int64_t i = 0; i < its->pairs.count; i++)
            if (class_of(its, i) == c) squares += pow(difference_of(its, i, t, figure, -1) - sum / n, 2);
        classes++;
        clusters += pow(sum - n * mean, 2);
        out[0] += n > 1 ? n / (n - 1.) * squares : images / (images - 1.) * pow(sum - mean, 2);
    }
    out[0] /= (double)images * images;
    out[1] = classes > 1 ? classes / (classes - 1.) * clusters / images / images : NAN;
}

static void check_vocabulary(const duel *its, const vb_difference_errors *errors, int t) {
    const int n = its->pairs.vocabularies;
    for (int f = 0; f < VB_FIGURES; f++) {
        double variance[2], without[MOST];
        int others = 0;
        if (f == VB_ACC_S && n == 1) continue;
        variances_of(its, t, f, variance);
        for (int u = 0; u < n && f != VB_TOP1_ALL; u++)
            if (u != t) without[others++] = mean_of(its, t, f, u);
        assert_near_or_none(errors->vocabulary[t][f][VB_SPREAD_IMAGES], sqrt(variance[0]), 1e-12);
        assert_near_or_none(errors->vocabulary[t][f][VB_SPREAD_CLASSES], sqrt(variance[1]), 1e-12);
        assert_near_or_none(errors->vocabulary[t][f][VB_SPREAD_VOCABULARIES], vb_spread_jackknife(without, others), 1e-12);
    }
}

static void check_means(const duel *its, const vb_difference_errors *errors, bool shared) {
    const int n = its->pairs.vocabularies;
    for (int f = 0; f < VB_FIGURES; f++) {
        double without[MOST], images = 0, classes = 0, variance[2];
        for (int u = 0; u < n; u++) {
            double sum = 0;
            for (int t = 0; t < n && f != VB_TOP1_ALL; t++) sum += t == u ? 0 : mean_of(its, t, f, u);
            without[u] = f == VB_TOP1_ALL ? mean_of(its, -1, f, u) : sum / (n - 1);
        }
        assert_near_or_none(errors->figure[f][VB_SPREAD_VOCABULARIES], vb_spread_jackknife(without, n), 1e-12);
        if (shared && f != VB_TOP1_ALL) continue; /* classes of several vocabularies: tests/tools/compare_errors_oracle.py */
        bool single = false;
        for (int t = 0; t < n && f != VB_TOP1_ALL; t++) {
            variances_of(its, t, f, variance);
            images += variance[0] / n / n;
            single |= isnan(variance[1]);
            classes += variance[1] / n / n;
        }
        if (f == VB_TOP1_ALL) {
            variances_of(its, -1, f, variance);
            images = variance[0];
            classes = variance[1];
        }
        if (n == 1 && f == VB_ACC_S) continue;
        assert_near_or_none(errors->figure[f][VB_SPREAD_IMAGES], sqrt(images), 1e-12);
        if (!single) assert_near_or_none(errors->figure[f][VB_SPREAD_CLASSES], sqrt(classes), 1e-12);
    }
}

static void errors_are_those_of_the_definition(void **state) {
    (void)state;
    static duel its;
    vb_error err = {0};
    random_state = 21;
    for (int round = 0; round < 40; round++) {
        const int shared = round % 3 == 2;
        vb_difference_errors errors;
        make_duel(&its, 1 + round % MOST, 30 + 2 * round, shared);
        look_at(&its);
        assert_ok(vb_difference_errors_new(&errors, &its.pairs, &err));
        for (int t = 0; t < its.pairs.vocabularies; t++) check_vocabulary(&its, &errors, t);
        check_means(&its, &errors, shared);
        assert_true(isnan(errors.own[VB_SPREAD_VOCABULARIES]));
        vb_difference_errors_free(&errors);
        look_away(&its);
    }
}

/* Vocabulary a has c0 with two images and c1 with one; b has c2 with two. A errs on one of c0 and has one of c2 harmed by a; B is
 * right everywhere. */
static void errors_by_hand(void **state) {
    (void)state;
    static duel its;
    vb_error err = {0};
    vb_difference_errors errors;
    make_by_hand(&its.s[0]);
    its.s[1] = (scene){.offsets = {0, 2, 3}, .members = {0, 1, 2}, .images = 5, .label = {2, 2, 1, 0, 0}};
    its.s[1].space = (vb_label_space){3, 2, its.s[1].offsets, its.s[1].members, NULL, false};
    look_at(&its);
    assert_ok(vb_difference_errors_new(&errors, &its.pairs, &err));
    /* Acc-C of a: differences 0, 1 of c0 and 0 of c1, mean 1/3. */
    assert_near(errors.vocabulary[0][VB_ACC_C][VB_SPREAD_IMAGES], sqrt(1 + 1 / 6.) / 3, 1e-15);
    assert_near(errors.vocabulary[0][VB_ACC_C][VB_SPREAD_CLASSES], 2 / 9., 1e-15);
    /* Acc-E of b: 0 and 1/2; alone there is no difference, and a alone keeps its 1/3. */
    assert_near(errors.vocabulary[1][VB_ACC_E][VB_SPREAD_IMAGES], 0.25, 1e-15);
    assert_near(errors.figure[VB_ACC_E][VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    /* Among all: 0, 1, 0, 0, 1; without a 0 of 2, without b 1 of 3. */
    assert_near(errors.figure[VB_TOP1_ALL][VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    /* Within the own vocabulary: 0, 1, 0, 0, 0: c0 gives 2 * 1/2, the only image of c1 5/4 * 1/25, over 5^2. */
    assert_near(errors.own[VB_SPREAD_IMAGES], sqrt(1 + 1 / 20.) / 5, 1e-15);
    vb_difference_errors_free(&errors);
    look_away(&its);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    static duel its;
    vb_error err = {0};
    int failures = 0;
    random_state = 22;
    make_duel(&its, 4, 60, 1);
    look_at(&its);
    for (bool done = false; !done;) {
        char fault[32];
        vb_difference_errors errors;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
        vb_fault_setup(fault, 0);
        done = !vb_difference_errors_new(&errors, &its.pairs, &err);
        vb_fault_setup(NULL, 0);
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
        failures += !done;
        vb_difference_errors_free(&errors);
    }
    assert_true(failures > 18); /* rooms of the work, and those of three means */
    look_away(&its);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_those_of_the_definition), cmocka_unit_test(errors_by_hand),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
