/* Tests of the openness figures: against brute force over all orders, and on bad input. */
#include <math.h>

#include "tests/unit/kernels/openness_scene.h"
#include "tests/unit/near.h"
#include "kernels/base/fault.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/openness.h"

/* Whether image x is right within the union of the `count` vocabularies of `set`. */
static int right_within(const scene *s, int x, const int *set, int count) {
    for (int i = 0; i < count; i++)
        if (s->beaten[x][set[i]]) return 0;
    return 1;
}

static int has_home_in(const scene *s, int x, const int *set, int count) {
    for (int i = 0; i < count; i++)
        if (holds(s, set[i], s->label[x])) return 1;
    return 0;
}

static double union_accuracy(const scene *s, const int *set, int count) {
    int right = 0, images = 0;
    for (int x = 0; x < s->images; x++) {
        if (!has_home_in(s, x, set, count)) continue;
        images++;
        right += right_within(s, x, set, count);
    }
    return (double)right / images;
}

typedef void visit_order(void *context, const int *order, int n);

/* All orders of order[fixed..n-1]. */
static void all_orders(int *order, int fixed, int n, visit_order *visit, void *context) {
    if (fixed == n) {
        visit(context, order, n);
        return;
    }
    for (int i = fixed; i < n; i++) {
        int first = order[fixed];
        order[fixed] = order[i];
        order[i] = first;
        all_orders(order, fixed + 1, n, visit, context);
        order[i] = order[fixed];
        order[fixed] = first;
    }
}

typedef struct brute {
    const scene *s;
    int orders;
    double curve[MAX_IMAGES][MAX_N]; /* by image and number of foreign vocabularies: orders in which it is right */
    double union_sum;
} brute;

static void visit_target(void *context, const int *order, int n) {
    brute *b = context;
    b->orders++;
    for (int x = 0; x < b->s->images; x++)
        for (int i = 0; i < n; i++) b->curve[x][i] += right_within(b->s, x, order, i + 1);
}

static void visit_union(void *context, const int *order, int n) {
    brute *b = context;
    b->orders++;
    for (int i = 1; i <= n; i++) b->union_sum += union_accuracy(b->s, order, i) / n;
}

static void mean_and_error(const double *score, int n, double *mean, double *error) {
    double squares = 0;
    *mean = 0;
    for (int i = 0; i < n; i++) *mean += score[i] / n;
    for (int i = 0; i < n; i++) squares += (score[i] - *mean) * (score[i] - *mean);
    *error = n > 1 ? sqrt(squares / (n - 1) / n) : NAN;
}

static void check_target(const scene *s, const vb_openness_result *result, int t) {
    static brute b;
    memset(&b, 0, sizeof b);
    b.s = s;
    int n = s->space.vocabularies, m = n - 1, order[MAX_N] = {t};
    for (int i = 1; i < n; i++) order[i] = i - 1 + (i - 1 >= t);
    all_orders(order, 1, n, visit_target, &b);
    const vb_vocabulary_openness *v = &result->vocabulary[t];
    double c[MAX_IMAGES], e[MAX_IMAGES], st[MAX_IMAGES], curve[MAX_N] = {0}, mean, error;
    int images = 0, harm[MAX_N] = {0}, theft[MAX_N] = {0};
    for (int x = 0; x < s->images; x++) {
        if (!holds(s, t, s->label[x])) continue;
        int beaten = 0;
        c[images] = b.curve[x][0] / b.orders;
        e[images] = st[images] = 0;
        for (int i = 0; i < n; i++) {
            curve[i] += b.curve[x][i] / b.orders;
            e[images] += b.curve[x][i] / b.orders / n;
            if (i) st[images] += b.curve[x][i] / b.orders / m;
            beaten += s->beaten[x][i];
        }
        for (int u = 0; u < n && !s->beaten[x][t]; u++) theft[u] += s->beaten[x][u];
        if (!s->beaten[x][t]) harm[beaten]++;
        if (!m) st[images] = NAN;
        images++;
    }
    assert_int_equal(v->images, images);
    mean_and_error(c, images, &mean, &error);
    assert_near_or_none(v->acc_c, mean, 1e-14);
    assert_near_or_none(v->acc_c_se, error, 1e-14);
    mean_and_error(e, images, &mean, &error);
    assert_near_or_none(v->acc_e, mean, 1e-14);
    assert_near_or_none(v->acc_e_se, error, 1e-14);
    mean_and_error(st, images, &mean, &error);
    assert_near_or_none(v->acc_s, mean, 1e-14);
    assert_near_or_none(v->acc_s_se, error, 1e-14);
    for (int i = 0; i < n; i++) {
        assert_near(v->curve[i], curve[i] / images, 1e-12);
        assert_int_equal(v->harm_histogram[i], harm[i]);
        assert_int_equal(v->theft[i], theft[i]);
    }
    assert_int_equal(v->theft[t], 0);
    for (int class = 0; class < s->space.classes; class ++) {
        if (own_vocabulary(s, class) != t) continue;
        double own = 0, share = 0, stable = 0;
        int count = 0, i = 0;
        for (int x = 0; x < s->images; x++) {
            if (!holds(s, t, s->label[x])) continue;
            if (s->label[x] == class) own += c[i], share += e[i], stable += st[i], count++;
            i++;
        }
        const vb_class_openness *found = &result->class[class];
        assert_int_equal(found->images, count);
        assert_int_equal(found->right, lround(own));
        assert_near_or_none(found->acc_c, count ? own / count : NAN, 1e-14);
        assert_near_or_none(found->acc_e, count ? share / count : NAN, 1e-14);
        assert_near_or_none(found->acc_s, count ? stable / count : NAN, 1e-14);
    }
}

static void check_overall(const scene *s, const vb_openness_result *result) {
    int n = s->space.vocabularies, images = 0;
    double c = 0, e = 0, st = 0, squares[3] = {0}, top1[MAX_IMAGES], mean, error;
    for (int t = 0; t < n; t++) {
        const vb_vocabulary_openness *v = &result->vocabulary[t];
        c += v->acc_c;
        e += v->acc_e;
        st += v->acc_s;
        squares[0] += v->acc_c_se * v->acc_c_se;
        squares[1] += v->acc_e_se * v->acc_e_se;
        squares[2] += v->acc_s_se * v->acc_s_se;
    }
    assert_near_or_none(result->acc_c, c / n, 1e-14);
    assert_near_or_none(result->acc_e, e / n, 1e-14);
    assert_near_or_none(result->acc_s, st / n, 1e-14);
    assert_near_or_none(result->acc_c_se, sqrt(squares[0]) / n, 1e-14);
    assert_near_or_none(result->acc_e_se, sqrt(squares[1]) / n, 1e-14);
    assert_near_or_none(result->acc_s_se, sqrt(squares[2]) / n, 1e-14);
    for (int x = 0; x < s->images; x++) {
        if (own_vocabulary(s, s->label[x]) < 0) continue;
        top1[images] = 1;
        for (int u = 0; u < n; u++)
            if (s->beaten[x][u]) top1[images] = 0;
        images++;
    }
    assert_int_equal(result->images, images);
    mean_and_error(top1, images, &mean, &error);
    assert_near_or_none(result->top1_all, mean, 1e-14);
    assert_near_or_none(result->top1_all_se, error, 1e-14);
}

static void closed_forms_equal_all_orders(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    static brute b;
    random_state = 1;
    int methods[2] = {0};
    for (int round = 0; round < 60; round++) {
        int n = round % 6 + 1, shared = round / 6 % 2, equal = round / 12 % 3 == 0 && !shared;
        make_scene(&s, n, n * random_int(4, 8), shared, equal);
        vb_tally *tally = tally_of(&s, &(vb_protocol){0});
        vb_openness_result result;
        assert_ok(vb_openness(&result, tally, &err));
        assert_int_equal(result.vocabularies, n);
        assert_int_equal(result.classes, s.space.classes);
        for (int t = 0; t < n; t++) check_target(&s, &result, t);
        check_overall(&s, &result);
        memset(&b, 0, sizeof b);
        b.s = &s;
        int order[MAX_N];
        for (int i = 0; i < n; i++) order[i] = i;
        all_orders(order, 0, n, visit_union, &b);
        assert_near(result.acc_e_union, b.union_sum / b.orders, 1e-12);
        assert_true(result.acc_e_union_se == 0 && result.union_permutations == 0);
        int closed = !strcmp(result.union_method, "closed form");
        if (equal) assert_true(closed);
        if (!closed) assert_string_equal(result.union_method, "subsets");
        methods[closed]++;
        assert_true(isnan(result.sampled_e) && isnan(result.vocabulary[0].sampled_s));
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
    assert_true(methods[0] > 10 && methods[1] > 5);
}

/* The official protocol, spelled out: permutations of the others for each target, all out of one sequence. */
static void sampled_protocol_follows_its_orders(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    random_state = 3;
    for (int round = 0; round < 20; round++) {
        int n = random_int(1, 9), trials = random_int(1, 4);
        make_scene(&s, n, n * 9, round % 2, 0);
        vb_protocol protocol = {.sampled = 1, .trials = trials, .seed = (uint32_t)round};
        vb_tally *tally = tally_of(&s, &protocol);
        vb_openness_result result;
        assert_ok(vb_openness(&result, tally, &err));
        vb_numpy_rng rng;
        vb_numpy_rng_seed(&rng, (uint32_t)round);
        double all_e = 0, all_s = 0;
        for (int t = 0; t < n; t++) {
            double e = 0, stable = 0;
            for (int k = 0; k < trials; k++) {
                int set[MAX_N] = {t};
                for (int i = 1; i < n; i++) set[i] = i - 1 + (i - 1 >= t);
                vb_numpy_rng_permutation(&rng, set + 1, n - 1);
                for (int i = 1; i <= n; i++) {
                    e += union_accuracy(&s, set, i) / n;
                    if (i == 1) continue;
                    double of_classes = 0;
                    int classes = 0;
                    for (int c = 0; c < s.space.classes; c++) {
                        int images = 0, right = 0;
                        for (int x = 0; x < s.images && holds(&s, t, c); x++)
                            if (s.label[x] == c) images++, right += right_within(&s, x, set, i);
                        if (images) of_classes += (double)right / images, classes++;
                    }
                    stable += of_classes / classes / (n - 1);
                }
            }
            assert_near(result.vocabulary[t].sampled_e, e / trials, 1e-12);
            assert_near_or_none(result.vocabulary[t].sampled_s, n > 1 ? stable / trials : NAN, 1e-14);
            all_e += e / trials / n;
            all_s += stable / trials / n;
        }
        assert_near(result.sampled_e, all_e, 1e-12);
        assert_near_or_none(result.sampled_s, n > 1 ? all_s : NAN, 1e-14);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* Two vocabularies of as many images, one class in both: the union's accuracy is another number than acc_e. */
static void a_shared_class_is_counted_once_in_a_union(void **state) {
    (void)state;
    vb_error err = {0};
    const int offsets[] = {0, 2, 4}, members[] = {0, 1, 1, 2};
    const vb_label_space space = {3, 2, offsets, members, NULL, false};
    const uint8_t unbeaten[] = {0, 0}, by_first[] = {1, 0}, by_second[] = {0, 1};
    vb_tally *tally;
    vb_openness_result result;
    assert_ok(vb_tally_new(&tally, &space, &(vb_protocol){0}, &err));
    vb_tally_add(tally, 0, by_second);
    vb_tally_add(tally, 0, unbeaten);
    vb_tally_add(tally, 1, by_first);
    vb_tally_add(tally, 2, by_first);
    vb_tally_add(tally, 2, by_first);
    assert_ok(vb_openness(&result, tally, &err));
    assert_int_equal(result.images, 5);
    assert_int_equal(result.vocabulary[0].images, 3);
    assert_int_equal(result.vocabulary[1].images, 3);
    assert_string_equal(result.union_method, "subsets");
    assert_near(result.acc_e_union, ((2 / 3.0 + 3 / 3.0) / 2 + 1 / 5.0) / 2, 1e-15);
    assert_near(result.acc_e, ((1 / 2.0 + 1) / 3 + 3 * (1 / 2.0) / 3) / 2, 1e-15);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* Beyond 20 vocabularies: the orders are NumPy's, and their mean is within its standard error of the mean over all 2^22 - 1
 * sets. */
static void many_vocabularies_are_sampled(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    enum { N = 22 };
    random_state = 5;
    make_scene(&s, N, 60, 1, 0);
    vb_protocol protocol = {.seed = 11};
    vb_tally *tally = tally_of(&s, &protocol);
    vb_openness_result result;
    assert_ok(vb_openness(&result, tally, &err));
    vb_tally_free(tally);
    assert_string_equal(result.union_method, "sampled");
    assert_int_equal(result.union_permutations, VB_UNION_PERMUTATIONS);
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, 11);
    static double values[VB_UNION_PERMUTATIONS];
    for (int k = 0; k < VB_UNION_PERMUTATIONS; k++) {
        int order[N];
        for (int i = 0; i < N; i++) order[i] = i;
        vb_numpy_rng_permutation(&rng, order, N);
        values[k] = 0;
        for (int i = 1; i <= N; i++) values[k] += union_accuracy(&s, order, i) / N;
    }
    double mean, error, sums[N + 1] = {0}, exact = 0;
    int sets[N + 1] = {0};
    mean_and_error(values, VB_UNION_PERMUTATIONS, &mean, &error);
    assert_near(result.acc_e_union, mean, 1e-12);
    assert_near(result.acc_e_union_se, error, 1e-12);
    unsigned memberships[MAX_IMAGES], beaten[MAX_IMAGES];
    for (int x = 0; x < s.images; x++) {
        memberships[x] = beaten[x] = 0;
        for (int v = 0; v < N; v++) {
            memberships[x] |= (unsigned)holds(&s, v, s.label[x]) << v;
            beaten[x] |= (unsigned)s.beaten[x][v] << v;
        }
    }
    for (unsigned set = 1; set < 1u << N; set++) {
        int right = 0, images = 0, size = __builtin_popcount(set);
        for (int x = 0; x < s.images; x++)
            images += !!(memberships[x] & set), right += (memberships[x] & set) && !(beaten[x] & set);
        sums[size] += (double)right / images;
        sets[size]++;
    }
    for (int i = 1; i <= N; i++) exact += sums[i] / sets[i] / N;
    assert_true(error > 0 && error < 0.01);
    assert_near(result.acc_e_union, exact, 4 * error);
    vb_openness_free(&result);
    make_scene(&s, N, 10 * N, 0, 1);
    protocol.union_permutations = 2;
    tally = tally_of(&s, &protocol);
    assert_ok(vb_openness(&result, tally, &err));
    assert_string_equal(result.union_method, "closed form");
    assert_true(result.acc_e_union == result.acc_e);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* Classes that all others, one other or none harm: what a quotient of small integers says, to the bit, and never outside of
 * 0..1. */
static void figures_of_classes_are_exact(void **state) {
    (void)state;
    vb_error err = {0};
    enum { N = 3 };
    const int offsets[] = {0, 1, 2, 4}, members[] = {0, 1, 2, 0};
    const vb_label_space space = {3, N, offsets, members, NULL, false};
    const uint8_t by_all[][N] = {{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}, by_one[] = {0, 0, 1}, by_itself[] = {1, 1, 0};
    vb_tally *tally;
    vb_openness_result result;
    assert_ok(vb_tally_new(&tally, &space, &(vb_protocol){0}, &err));
    for (int i = 0; i < 5; i++)
        for (int c = 0; c < 3; c++) vb_tally_add(tally, c, by_all[c]);
    vb_tally_add(tally, 1, by_one);
    vb_tally_add(tally, 0, by_itself); /* its second vocabulary does not count for the class */
    assert_ok(vb_openness(&result, tally, &err));
    const vb_class_openness *of = result.class;
    assert_true(of[0].images == 6 && of[0].right == 5 && of[0].acc_c == 5 / 6.0 && of[0].acc_s == 0);
    assert_true(of[1].right == 6 && of[1].acc_c == 1 && of[1].acc_s == (0.5 - 0.25) / 6);
    assert_near(of[1].acc_e, (5 / 3.0 + 1 / 2.0) / 6, 1e-16);
    assert_true(of[2].acc_c == 1 && of[2].acc_e == 1 / 3.0 && of[2].acc_s == 0);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* However many vocabularies: when every image is right everywhere all figures are 1 and no more. */
static void means_of_ones_are_one(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    for (int n = 1; n <= MAX_N; n++) {
        for (int t = 0; t < n; t++) {
            s.members[t] = t;
            s.offsets[t + 1] = t + 1;
            s.label[t] = t;
        }
        s.images = n;
        s.space = (vb_label_space){n, n, s.offsets, s.members, NULL, false};
        for (int more = 0; more < 2; more++, s.label[s.images++] = 0) { /* image counts are equal, or not */
            vb_protocol protocol = {.sampled = 1, .trials = 3, .union_permutations = 7};
            vb_tally *tally = tally_of(&s, &protocol);
            vb_openness_result result;
            assert_ok(vb_openness(&result, tally, &err));
            assert_true(result.acc_c == 1 && result.acc_e == 1 && result.acc_e_union == 1 && result.top1_all == 1);
            assert_true(result.sampled_e == 1 && (n == 1 || (result.acc_s == 1 && result.sampled_s == 1)));
            vb_openness_free(&result);
            vb_tally_free(tally);
        }
    }
}

/* ---- bad input ------------------------------------------ */

static void bad_input_is_refused(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    random_state = 9;
    make_scene(&s, 3, 30, 0, 0);
    vb_tally *tally;
    vb_openness_result result;
    vb_protocol none = {.sampled = 1}, few = {.union_permutations = 1}, many = {.sampled = 1, .trials = 1000000};
    assert_fails(vb_tally_new(&tally, &s.space, &none, &err), VB_ECONFIG, "0 trials");
    assert_null(tally);
    assert_fails(vb_tally_new(&tally, &s.space, &few, &err), VB_ECONFIG, "1 permutations");
    assert_fails(vb_tally_new(&tally, &s.space, &many, &err), VB_ECONFIG, "1000000 trials");
    vb_label_space bad = s.space;
    bad.vocabularies = 0;
    assert_fails(vb_tally_new(&tally, &bad, &(vb_protocol){0}, &err), VB_EMISMATCH, "0 vocabularies");
    assert_ok(vb_tally_new(&tally, &s.space, &(vb_protocol){0}, &err));
    for (int x = 0; x < s.images; x++)
        if (!holds(&s, 1, s.label[x])) vb_tally_add(tally, s.label[x], s.beaten[x]);
    assert_fails(vb_openness(&result, tally, &err), VB_EDATA, "vocabulary 1 has no images");
    assert_null(result.vocabulary);
    vb_tally_free(tally);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    vb_error err = {0};
    static scene s;
    random_state = 10;
    for (int n = 4; n <= 22; n += 18) {
        make_scene(&s, n, 10 * n, 1, 0);
        vb_protocol protocol = {.sampled = 1, .trials = 1, .union_permutations = 2};
        int failures = 0, done = 0;
        for (int nth = 1; !done; nth++) {
            char fault[32];
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", nth);
            vb_fault_setup(fault, 0);
            vb_tally *tally = NULL;
            vb_openness_result result = {0};
            if (!vb_tally_new(&tally, &s.space, &protocol, &err)) {
                for (int x = 0; x < s.images; x++) vb_tally_add(tally, s.label[x], s.beaten[x]);
                done = !vb_openness(&result, tally, &err);
            }
            vb_fault_setup(NULL, 0);
            if (!done) assert_int_equal(err.code, VB_EMEMORY);
            failures += !done;
            vb_openness_free(&result);
            vb_tally_free(tally);
        }
        assert_true(failures >= 14);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms_equal_all_orders), cmocka_unit_test(sampled_protocol_follows_its_orders),
        cmocka_unit_test(many_vocabularies_are_sampled), cmocka_unit_test(a_shared_class_is_counted_once_in_a_union),
        cmocka_unit_test(figures_of_classes_are_exact),  cmocka_unit_test(means_of_ones_are_one),
        cmocka_unit_test(bad_input_is_refused),          cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
