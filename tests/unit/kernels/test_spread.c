/* Tests of the three standard errors: quantiles and intervals of the tables, figures by hand, vocabularies that are really
 * deleted. */
#include <math.h>

#include "tests/unit/kernels/openness_scene.h"
#include "tests/unit/near.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/openness/figure_errors.h"
#include "kernels/openness/student.h"

/* ---- quantiles and intervals ------------------------------------------------------------------------------------ */

/* R's qt(0.975, df). */
static void quantiles_are_those_of_the_tables(void **state) {
    (void)state;
    /* 999 and more: SciPy's t.ppf(.975, df), where the sums end and the expansion begins, and behind */
    const struct {
        int64_t df;
        double t;
    } table[] = {{1, 12.706204736174707},    {2, 4.302652729749464},     {3, 3.182446305283711},    {4, 2.776445105197793},
                 {5, 2.570581835636316},     {7, 2.364624251592785},     {12, 2.178812829667228},   {16, 2.119905299221255},
                 {25, 2.059538552753297},    {30, 2.042272456301238},    {120, 1.979930405082425},  {999, 1.9623414611334487},
                 {1000, 1.9623390808264074}, {1500, 1.9615467538950184}, {10000, 1.960201239890626}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_near(vb_student_quantile(table[i].df), table[i].t, 1e-13 * table[i].t);
    double before = 13;
    for (int64_t df = 1; df < 3000; df += 1 + df / 50) { /* the sums and the expansion meet; all are finite and fall */
        double t = vb_student_quantile(df);
        assert_true(t < before && t > VB_STUDENT_NORMAL);
        before = t;
    }
    assert_near(vb_student_quantile(999), vb_student_quantile(1000), 3e-6);
    assert_near(vb_student_quantile(INT64_C(1) << 40), VB_STUDENT_NORMAL, 1e-11);
}

static void intervals_do_not_collapse(void **state) {
    (void)state;
    double its[2], low, high;
    vb_spread_wilson(10, 10, its); /* z^2 / (n + z^2) away from 1 */
    assert_near(its[0], 10 / (10 + 3.841458820694124), 1e-15);
    assert_true(its[1] == 1);
    vb_spread_wilson(0, 10, its);
    assert_true(its[0] == 0);
    assert_near(its[1], 3.841458820694124 / (10 + 3.841458820694124), 1e-15);
    vb_spread_wilson(8, 10, its); /* statsmodels' proportion_confint(8, 10, method="wilson") */
    assert_near(its[0], 0.4901624715, 1e-9);
    assert_near(its[1], 0.9433178485, 1e-9);
    /* The error of a share of 400 draws gives its interval, but for Student's quantile. */
    vb_spread_interval(0.9, sqrt(0.9 * 0.1 / 400), 7, INT64_C(1) << 40, &low, &high);
    vb_spread_wilson(360, 400, its);
    assert_near(low, its[0], 1e-11);
    assert_near(high, its[1], 1e-11);
    vb_spread_interval(1, 0, 4, 3, &low, &high);
    assert_near(low, 4 / (4 + 3.841458820694124), 1e-15);
    assert_true(high == 1);
    vb_spread_interval(0, 0.1, 4, 3, &low, &high);
    assert_true(low == 0 && high == 1);
    vb_spread_interval(0.5, NAN, 4, 3, &low, &high);
    assert_true(isnan(low) && isnan(high));
    vb_spread_interval(NAN, 0.1, 4, 3, &low, &high);
    assert_true(isnan(low) && isnan(high));
    assert_near(vb_spread_jackknife((const double[]){1, 2, 4}, 3), sqrt(2 / 3. * (16 / 9. + 1 / 9. + 25 / 9.)), 1e-15);
    assert_true(isnan(vb_spread_jackknife((const double[]){1}, 1)));
}

/* An image of a class is in one of its cells where cells have weights, in each of them where they have not: all of 3 and 5 images
 * are right, which leaves Wilson's interval for as many as there are. */
static void images_are_counted_once(void **state) {
    (void)state;
    const int offsets[] = {0, 1, 2};
    const double weights[] = {0.375, 0.625}, without[] = {1, 1};
    for (int weighed = 0; weighed < 2; weighed++) {
        const vb_spread_cell cells[] = {{0, weighed ? 3 : 8, weighed ? 3 : 8, 0}, {0, weighed ? 5 : 8, weighed ? 5 : 8, 0}};
        const vb_spread_table table = {
            .vocabularies = 2, .classes = 1, .offsets = offsets, .cells = cells, .weights = weighed ? weights : NULL};
        vb_error err = {0};
        vb_spread found;
        assert_ok(vb_spread_of_mean(&found, &table, without, 2, &err));
        assert_true(found.error[VB_SPREAD_IMAGES] == 0 && found.high[VB_SPREAD_IMAGES] == 1);
        assert_near(found.low[VB_SPREAD_IMAGES], 8 / (8 + 3.841458820694124), 1e-14);
    }
}

/* ---- counts ----------------------------------------------------------------------------------------------------- */

enum { MOST = 6 /* vocabularies */ };

/* n vocabularies of one to three classes, of which some are in an earlier one, too. Every class has one to five images. */
static void make_few(scene *s, int n) {
    int used = 0, classes = 0;
    *s = (scene){.images = 0};
    for (int v = 0; v < n; v++) {
        for (int own = 1 + (int)random_below(&random_state, 2); own >= 0; own--) s->members[used++] = classes++;
        if (v && random_below(&random_state, 2))
            s->members[used++] = (int)random_below(&random_state, (uint32_t)s->members[s->offsets[v]]);
        s->offsets[v + 1] = used;
    }
    s->space = (vb_label_space){classes, n, s->offsets, s->members, NULL, false};
    for (int c = 0; c < classes; c++)
        for (int i = (int)random_below(&random_state, 5); i >= 0; i--) {
            for (int v = 0; v < n; v++) s->beaten[s->images][v] = random_below(&random_state, 4) == 0;
            s->label[s->images++] = c;
        }
}

/* The scene without vocabulary u. */
static void delete_vocabulary(scene *to, const scene *s, int u) {
    int used = 0, v = 0;
    *to = *s;
    for (int t = 0; t < s->space.vocabularies; t++) {
        if (t == u) continue;
        for (int i = s->offsets[t]; i < s->offsets[t + 1]; i++) to->members[used++] = s->members[i];
        to->offsets[++v] = used;
        for (int x = 0; x < s->images; x++) to->beaten[x][v - 1] = s->beaten[x][t];
    }
    to->space = (vb_label_space){s->space.classes, v, to->offsets, to->members, NULL, false};
}

static void figures_of(const scene *s, double figure[VB_FIGURES + 1]) {
    vb_error err = {0};
    vb_openness_result result;
    vb_tally *tally = tally_of(s, &(vb_protocol){0});
    assert_ok(vb_openness(&result, tally, &err));
    const double all[] = {result.acc_c, result.acc_e, result.acc_s, result.top1_all, result.acc_e_union};
    memcpy(figure, all, sizeof all);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* The closed forms are the jackknife over experiments in which a vocabulary is not there. */
static void deleted_vocabularies_are_gone(void **state) {
    (void)state;
    static scene s, less;
    vb_error err = {0};
    random_state = 4;
    for (int round = 0; round < 30; round++) {
        int n = 2 + round % (MOST - 1);
        make_few(&s, n);
        double values[VB_FIGURES + 1][MOST], of[VB_FIGURES + 1];
        for (int u = 0; u < n; u++) {
            delete_vocabulary(&less, &s, u);
            figures_of(&less, of);
            for (int f = 0; f <= VB_FIGURES; f++) values[f][u] = of[f];
        }
        vb_tally *tally = tally_of(&s, &(vb_protocol){0});
        vb_openness_result result;
        vb_figure_errors errors;
        assert_ok(vb_openness(&result, tally, &err));
        assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
        for (int f = 0; f <= VB_FIGURES; f++) {
            double wanted = vb_spread_jackknife(values[f], n);
            double found = (f < VB_FIGURES ? errors.figure[f] : errors.over_union).error[VB_SPREAD_VOCABULARIES];
            if (isnan(wanted)) assert_true(f == VB_ACC_S && n == 2 && isnan(found));
            else assert_near(found, wanted, 1e-13);
        }
        vb_figure_errors_free(&errors);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* ---- classes ---- */

/* Acc-C, Acc-E and Acc-S of the class's images in vocabulary t, from their scores; and the standard deviation over the root of
 * n. */
static void class_by_definition(const scene *s, int c, int t, double figure[VB_TOP1_ALL], double error[VB_TOP1_ALL]) {
    const int n = s->space.vocabularies;
    for (int f = VB_ACC_C; f <= VB_ACC_S; f++) {
        double score[MAX_IMAGES], sum = 0, squares = 0;
        int images = 0;
        for (int x = 0; x < s->images; x++) {
            int b = 0;
            for (int u = 0; u < n; u++) b += u != t && s->beaten[x][u];
            if (s->label[x] != c) continue;
            double of[] = {1, 1 / (b + 1.), n > 1 ? (n - 1. - b) / ((n - 1) * (b + 1)) : NAN};
            sum += score[images++] = isnan(of[f]) ? NAN : !s->beaten[x][t] * of[f];
        }
        for (int i = 0; i < images; i++) squares += (score[i] - sum / images) * (score[i] - sum / images);
        figure[f] = sum / images;
        error[f] = images > 1 ? sqrt(squares / (images - 1) / images) : NAN;
    }
}

/* A class's errors: of its images, and of the rivals of the first vocabulary that holds it, each of which is away once. */
static void classes_have_errors_of_their_own(void **state) {
    (void)state;
    static scene s, less;
    vb_error err = {0};
    random_state = 12;
    for (int round = 0; round < 30; round++) {
        const int n = 1 + round % MOST;
        vb_openness_result result;
        vb_figure_errors errors;
        make_few(&s, n);
        vb_tally *tally = tally_of(&s, &(vb_protocol){0});
        assert_ok(vb_openness(&result, tally, &err));
        assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
        for (int c = 0; c < s.space.classes; c++) {
            const int t = own_vocabulary(&s, c);
            const vb_class_errors *its = &errors.class[c];
            double figure[VB_TOP1_ALL], error[VB_TOP1_ALL], without[VB_TOP1_ALL][MOST], unused[VB_TOP1_ALL], wilson[2];
            class_by_definition(&s, c, t, figure, error);
            for (int u = 0, others = 0; u < n; u++) {
                double of[VB_TOP1_ALL];
                if (u == t) continue;
                delete_vocabulary(&less, &s, u);
                class_by_definition(&less, c, t - (u < t), of, unused);
                for (int f = VB_ACC_C; f <= VB_ACC_S; f++) without[f][others] = of[f];
                others++;
            }
            for (int f = VB_ACC_C; f <= VB_ACC_S; f++) {
                assert_near_or_none(its->error[f][VB_SPREAD_IMAGES], error[f], 1e-13);
                assert_near_or_none(its->error[f][VB_SPREAD_VOCABULARIES], vb_spread_jackknife(without[f], n - 1), 1e-13);
                assert_true(isnan(its->error[f][VB_SPREAD_CLASSES]));
            }
            vb_spread_wilson(result.class[c].right, result.class[c].images, wilson);
            assert_memory_equal(its->wilson, wilson, sizeof wilson);
            assert_near_or_none(result.class[c].acc_e, figure[VB_ACC_E], 1e-13);
        }
        vb_figure_errors_free(&errors);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* Wilson's interval of as many draws as would have this error, for the normal quantile that of the tables. */
static void expect_interval(const vb_spread *its, vb_spread_kind kind, double value, double t) {
    const double n = value * (1 - value) / (its->error[kind] * its->error[kind]), middle = (value + t * t / 2 / n),
                 half = t * sqrt(value * (1 - value) / n + t * t / 4 / n / n), all = 1 + t * t / n;
    assert_near(its->low[kind], (middle - half) / all, 1e-13);
    assert_near(its->high[kind], (middle + half) / all, 1e-13);
}

static void errors_by_hand(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    vb_openness_result result;
    vb_figure_errors errors;
    make_by_hand(&s);
    vb_tally *tally = tally_of(&s, &(vb_protocol){0});
    assert_ok(vb_openness(&result, tally, &err));
    assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
    /* a: A = 2/3. Images: c0 gives 2/1 * 1/2; c1's only one is 1/3 off: 3/2 * 1/9. Over 3^2. */
    const vb_spread *a = &errors.vocabulary[0].figure[VB_ACC_C], *b = &errors.vocabulary[1].figure[VB_ACC_E];
    assert_near(a->error[VB_SPREAD_IMAGES], sqrt(1 + 1 / 6.) / 3, 1e-15);
    /* Clusters: c0 is 1 - 2 * 2/3 = -1/3, c1 1/3 off: 2/1 * 2/9 over 3^2. */
    assert_near(a->error[VB_SPREAD_CLASSES], 2 / 9., 1e-15);
    assert_true(isnan(a->error[VB_SPREAD_VOCABULARIES])); /* one rival: nothing to compare */
    /* b: scores 1 and 1/2: 2/1 * 1/8 over 2^2. One class. */
    assert_near(b->error[VB_SPREAD_IMAGES], 0.25, 1e-15);
    assert_true(isnan(b->error[VB_SPREAD_CLASSES]));
    /* The classes: c0 has 1 and 0, c1 one image, c2 (of b) 1 and 1/2. 1 of 2: Wilson's interval is even. */
    assert_near(errors.class[0].error[VB_ACC_C][VB_SPREAD_IMAGES], 0.5, 1e-15);
    assert_near(errors.class[0].wilson[0] + errors.class[0].wilson[1], 1, 1e-15);
    assert_true(isnan(errors.class[1].error[VB_ACC_C][VB_SPREAD_IMAGES]));
    assert_near(errors.class[2].error[VB_ACC_E][VB_SPREAD_IMAGES], 0.25, 1e-15);
    /* Acc-C is 5/6; b's only class is 1 - 5/6 off: sqrt(2/1) / 6 / 2. Alone, a has 2/3 and b has 1. */
    const vb_spread *c = &errors.figure[VB_ACC_C];
    assert_near(c->error[VB_SPREAD_IMAGES], sqrt(1 + 1 / 6.) / 3 / 2, 1e-15);
    assert_near(c->error[VB_SPREAD_CLASSES], sqrt(4 / 81. + 2 / 36.) / 2, 1e-15);
    assert_near(c->error[VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    /* Degrees of freedom. Images less strata: of a 3 less c0 and the one of c1, of b 2 less 1. Classes less vocabularies of
     * several (a) and less 1 for the others together. */
    expect_interval(a, VB_SPREAD_IMAGES, 2 / 3., 12.706204736174707);
    expect_interval(a, VB_SPREAD_CLASSES, 2 / 3., 12.706204736174707);
    expect_interval(c, VB_SPREAD_IMAGES, 5 / 6., 4.302652729749464);
    expect_interval(c, VB_SPREAD_CLASSES, 5 / 6., 12.706204736174707);
    expect_interval(c, VB_SPREAD_VOCABULARIES, 5 / 6., 12.706204736174707);
    /* Acc-E of b is 1 without a. */
    assert_near(errors.figure[VB_ACC_E].error[VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    /* 3 of 5 right among all; without a 2 of 2, without b 2 of 3. */
    assert_near(errors.figure[VB_TOP1_ALL].error[VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    /* Classes: 1 - 6/5, 1 - 3/5, 1 - 6/5: 3/2 * (1 + 4 + 1) / 25 over 5^2. */
    assert_near(errors.figure[VB_TOP1_ALL].error[VB_SPREAD_CLASSES], sqrt(1.5 * 6 / 25) / 5, 1e-15);
    /* Among all sets of vocabularies: {a} alone 2/3, {b} alone 1. */
    assert_near(errors.over_union.error[VB_SPREAD_VOCABULARIES], 1 / 6., 1e-15);
    vb_figure_errors_free(&errors);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    random_state = 6;
    make_few(&s, 4);
    vb_tally *tally = tally_of(&s, &(vb_protocol){0});
    vb_openness_result result;
    assert_ok(vb_openness(&result, tally, &err));
    int failures = 0;
    for (bool done = false; !done;) {
        char fault[32];
        vb_figure_errors errors;
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
        vb_fault_setup(fault, 0);
        done = !vb_figure_errors_new(&errors, tally, &result, &err);
        vb_fault_setup(NULL, 0);
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
        failures += !done;
        vb_figure_errors_free(&errors);
    }
    assert_int_equal(failures, 7 + 3 * 2 + 2);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* A class of two vocabularies whose images are right in one of them each moves the mean of both by nothing: what is left is
 * rounding, and no error that would make a point of the interval. */
static void opposites_have_no_error(void **state) {
    (void)state;
    vb_error err = {0};
    for (int n = 2; n <= 40; n++)
        for (int right = 1; right < n; right++) {
            const double sums[] = {right, n - right}, squares = sums[0] * sums[1] / n;
            const vb_spread_cell cells[] = {{0, n, sums[0], squares}, {0, n, sums[1], squares}};
            const vb_spread_cross cross = {0, 0, 1, n, 0 - squares};
            const vb_spread_table table = {2, 1, (const int[]){0, 1, 2}, cells, &cross, 1, NULL};
            vb_spread spread;
            double low, high;
            assert_ok(vb_spread_of_mean(&spread, &table, (const double[]){0.5, 0.5}, 2, &err));
            assert_true(spread.error[VB_SPREAD_IMAGES] == 0);
            vb_spread_interval(0.5, 0, n, 1, &low, &high);
            assert_near(spread.low[VB_SPREAD_IMAGES], low, 1e-15);
        }
}

/* Where nothing differs Wilson's interval is of as many draws as there are images, classes and vocabularies, whatever holds them:
 * of three classes one is in both. Its lower bound is n / (n + z^2). */
static void a_class_of_two_vocabularies_is_one_draw(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_spread_cell cells[] = {{0, 2, 2, 0}, {1, 3, 3, 0}, {0, 2, 2, 0}, {2, 5, 5, 0}};
    const vb_spread_cross cross = {0, 0, 1, 2, 0};
    const vb_spread_table table = {2, 3, (const int[]){0, 2, 4}, cells, &cross, 1, NULL};
    const double square = 1.959963984540054 * 1.959963984540054, draws[] = {10, 3, 2};
    vb_spread spread;
    assert_ok(vb_spread_of_mean(&spread, &table, (const double[]){1, 1}, 2, &err));
    for (int k = 0; k < VB_SPREAD_KINDS; k++) {
        assert_true(spread.error[k] == 0 && spread.high[k] == 1);
        assert_near(spread.low[k], draws[k] / (draws[k] + square), 1e-13);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(quantiles_are_those_of_the_tables),
                                       cmocka_unit_test(intervals_do_not_collapse),
                                       cmocka_unit_test(images_are_counted_once),
                                       cmocka_unit_test(opposites_have_no_error),
                                       cmocka_unit_test(a_class_of_two_vocabularies_is_one_draw),
                                       cmocka_unit_test(deleted_vocabularies_are_gone),
                                       cmocka_unit_test(classes_have_errors_of_their_own),
                                       cmocka_unit_test(errors_by_hand),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
