/* Tests of the errors of the accuracy over the union of images: against the definition spelled out over all sets of vocabularies,
 * and the table of images by class and harmful sets. */
#include <math.h>

#include "kernels/base/fault.h"
#include "kernels/openness/figure_errors.h"
#include "kernels/openness/union_errors.h"
#include "tests/unit/kernels/openness_scene.h"
#include "tests/unit/near.h"

static const vb_protocol with_errors = {.union_errors = true};

/* ---- by the definition ---- */

static unsigned members_of(const scene *s, int x) {
    unsigned set = 0;
    for (int v = 0; v < s->space.vocabularies; v++)
        if (holds(s, v, s->label[x])) set |= 1u << v;
    return set;
}

static unsigned harmful_to(const scene *s, int x) {
    unsigned set = 0;
    for (int v = 0; v < s->space.vocabularies; v++)
        if (s->beaten[x][v]) set |= 1u << v;
    return set;
}

static double choose(int n, int k) { return k ? choose(n - 1, k - 1) * n / k : 1; }

/* Score and weight of an image: sums over all sets of vocabularies in which it is. */
static void add_up(const scene *s, int x, double *score, double *weight) {
    const int n = s->space.vocabularies;
    *score = *weight = 0;
    for (unsigned set = 1; set < 1u << n; set++) {
        int images = 0;
        for (int y = 0; y < s->images; y++) images += (members_of(s, y) & set) != 0;
        if (!(members_of(s, x) & set)) continue;
        double share = 1 / (n * choose(n, __builtin_popcount(set))) / images;
        *weight += share;
        if (!(harmful_to(s, x) & set)) *score += share;
    }
    *score /= *weight;
}

/* Errors of images and classes, from lists of images. */
static void errors_of(const scene *s, double out[2]) {
    static double score[MAX_IMAGES], weight[MAX_IMAGES];
    double overall = 0, images = 0, moved[MAX_CLASSES] = {0};
    bool known[1 << 6] = {false};
    int strata = 0;
    for (int x = 0; x < s->images; x++) {
        const unsigned set = members_of(s, x);
        score[x] = weight[x] = 0;
        if (!set) continue;
        add_up(s, x, &score[x], &weight[x]);
        overall += score[x] * weight[x];
        strata += !known[set];
        known[set] = true;
    }
    for (unsigned set = 1; set < 1u << s->space.vocabularies; set++) {
        int m = 0, k = 0, of_class[MAX_CLASSES] = {0};
        double mean = 0, part = 0;
        for (int x = 0; x < s->images; x++)
            if (members_of(s, x) == set) {
                k += !of_class[s->label[x]]++;
                m++;
                mean += score[x];
                part += weight[x];
            }
        if (!m) continue;
        mean /= m;
        const double only = sqrt(strata / (strata - 1.0)) * (mean - overall) * part;
        for (int c = 0; c < s->space.classes; c++) {
            double sum = 0, squares = 0;
            for (int x = 0; x < s->images; x++)
                if (members_of(s, x) == set && s->label[x] == c) sum += score[x];
            if (!of_class[c]) continue;
            for (int x = 0; x < s->images; x++)
                if (members_of(s, x) == set && s->label[x] == c) squares += pow(score[x] - sum / of_class[c], 2);
            const double off = sum - of_class[c] * mean;
            if (of_class[c] > 1) images += part * part / m / m * of_class[c] / (of_class[c] - 1.0) * squares;
            else if (m > 1) images += part * part / m / m * m / (m - 1.0) * off * off;
            else images += only * only;
            moved[c] += k > 1 ? sqrt(k / (k - 1.0)) * off * part / m : only;
        }
    }
    out[0] = sqrt(images);
    out[1] = 0;
    for (int c = 0; c < s->space.classes; c++) out[1] += moved[c] * moved[c];
    out[1] = sqrt(out[1]);
}

static vb_spread spread_of(vb_tally *tally, vb_openness_result *result) {
    vb_error err = {0};
    vb_spread out;
    assert_ok(vb_harm_sets_end(vb_tally_harm_sets(tally), &err));
    assert_ok(vb_openness(result, tally, &err));
    assert_ok(vb_union_errors(&out, tally, result->acc_e_union, &err));
    return out;
}

static void every_set_of_vocabularies(void **state) {
    (void)state;
    static scene s;
    random_state = 7;
    for (int round = 0; round < 60; round++) {
        vb_openness_result result;
        double wanted[2];
        make_scene(&s, 2 + round % 4, 12 + round, round % 3, 0);
        errors_of(&s, wanted);
        vb_tally *tally = tally_of(&s, &with_errors);
        const vb_spread found = spread_of(tally, &result);
        assert_near_or_none(found.error[VB_SPREAD_IMAGES], wanted[0], 1e-12);
        assert_near_or_none(found.error[VB_SPREAD_CLASSES], wanted[1], 1e-12);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* Where all vocabularies have equally many images, the figure is Acc-E, and so are its errors. */
static void equal_counts_are_acc_e(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    random_state = 8;
    for (int n = 2; n < 7; n++) {
        vb_openness_result result;
        vb_figure_errors errors;
        make_scene(&s, n, 20 * n, 0, 1);
        vb_tally *tally = tally_of(&s, &with_errors);
        const vb_spread found = spread_of(tally, &result);
        assert_string_equal(result.union_method, "closed form");
        assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
        for (int k = 0; k < VB_SPREAD_KINDS; k++) {
            assert_near(found.error[k], errors.figure[VB_ACC_E].error[k], 1e-13);
            assert_near(found.low[k], errors.figure[VB_ACC_E].low[k], 1e-12);
            assert_near(found.high[k], errors.figure[VB_ACC_E].high[k], 1e-12);
        }
        vb_figure_errors_free(&errors);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

static void errors_by_hand(void **state) {
    (void)state;
    static scene s;
    vb_openness_result result;
    make_by_hand(&s);
    vb_tally *tally = tally_of(&s, &with_errors);
    const vb_spread found = spread_of(tally, &result);
    assert_near(result.acc_e_union, ((2 / 3. + 1) / 2 + 3 / 5.) / 2, 1e-15);
    const double a = 0.55 / 3, b = 0.45 / 2, off = 7 / 9. - result.acc_e_union;
    assert_near(found.error[VB_SPREAD_IMAGES], sqrt(a * a * (1 + 1 / 6.) + b * b * 2 * 2 * 4 / 81), 1e-15);
    assert_near(found.error[VB_SPREAD_CLASSES], sqrt(a * a * 4 / 9 + 2 * 0.45 * 0.45 * off * off), 1e-15);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

/* ---- the table ---- */

/* Parts of the images, as ranks have them, in one table: the same words. */
static void tables_add_up(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    random_state = 9;
    make_scene(&s, 5, MAX_IMAGES, 1, 0);
    vb_tally *whole = tally_of(&s, &with_errors), *parts[3];
    for (int p = 0; p < 3; p++) assert_ok(vb_tally_new(&parts[p], &s.space, &with_errors, &err));
    for (int x = 0; x < s.images; x++) vb_tally_add(parts[x * x % 2], s.label[x], s.beaten[x]); /* the third stays empty */
    vb_harm_sets *all = vb_tally_harm_sets(whole), *sum = vb_tally_harm_sets(parts[0]);
    assert_ok(vb_harm_sets_end(all, &err));
    for (int p = 1; p < 3; p++) {
        vb_harm_sets *its = vb_tally_harm_sets(parts[p]);
        assert_ok(vb_harm_sets_end(its, &err));
        assert_ok(vb_harm_sets_merge(sum, its->words, its->used * sizeof *its->words, &err));
    }
    assert_ok(vb_harm_sets_end(sum, &err));
    assert_true(sum->used == all->used && all->used);
    assert_memory_equal(sum->words, all->words, all->used * sizeof *all->words);
    int64_t images = 0;
    vb_harm_kind kind;
    for (size_t at = 0; vb_harm_sets_next(all, &at, &kind);) images += kind.images;
    int64_t counted = 0;
    for (int x = 0; x < s.images; x++) counted += members_of(&s, x) != 0;
    assert_int_equal(images, counted);
    vb_tally_clear(whole);
    assert_int_equal(vb_tally_harm_sets(whole)->used, 0);
    vb_tally_free(whole);
    for (int p = 0; p < 3; p++) vb_tally_free(parts[p]);
}

/* A table of many kinds grows, and stays as small as its kinds are few. */
static void tables_grow(void **state) {
    (void)state;
    vb_error err = {0};
    vb_harm_sets table = {0};
    int64_t expected[64] = {0};
    random_state = 10;
    for (int i = 0; i < 200000; i++) {
        const uint32_t sets[] = {random_below(&random_state, 8), 15};
        const int class = (int)random_below(&random_state, 8);
        expected[class * 8 + (int)sets[0]]++;
        vb_harm_sets_add(&table, &(vb_harm_kind){class, 8, sets, 1, INT64_C(3000000000)});
    }
    assert_true(table.capacity < 100000);
    assert_ok(vb_harm_sets_end(&table, &err));
    vb_harm_kind kind;
    int kinds = 0;
    for (size_t at = 0; vb_harm_sets_next(&table, &at, &kind); kinds++)
        assert_int_equal(kind.images, expected[kind.class * 8 + (int)kind.sets[0]] * INT64_C(3000000000));
    assert_int_equal(kinds, 64);
    vb_harm_sets_free(&table);
    /* Of images that are all of another kind: the table thrice while it is put in order, and where its records are. */
    for (uint32_t i = 0; i < 1000; i++)
        vb_harm_sets_add(&table, &(vb_harm_kind){(int)i, 7, (const uint32_t[]){0, 1, 2, 3, 4, i}, 3, 1});
    assert_ok(vb_harm_sets_end(&table, &err));
    assert_int_equal(3 * table.used * sizeof *table.words + 1000 * sizeof(void *), vb_harm_sets_bytes(1000, 3));
    vb_harm_sets_free(&table);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    random_state = 11;
    make_scene(&s, 4, 60, 1, 0);
    int failures = 0;
    for (bool done = false; !done; failures++) {
        char fault[32];
        vb_tally *tally = NULL;
        vb_openness_result result = {0};
        vb_figure_errors errors = {0};
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
        vb_fault_setup(fault, 0);
        int status = vb_tally_new(&tally, &s.space, &with_errors, &err);
        for (int x = 0; x < s.images && !status; x++) vb_tally_add(tally, s.label[x], s.beaten[x]);
        if (!status) status = vb_harm_sets_end(vb_tally_harm_sets(tally), &err);
        if (!status) status = vb_openness(&result, tally, &err);
        if (!status) status = vb_figure_errors_new(&errors, tally, &result, &err);
        vb_fault_setup(NULL, 0);
        done = !status;
        if (!done) assert_int_equal(err.code, VB_EMEMORY);
        vb_figure_errors_free(&errors);
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
    assert_true(failures > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_set_of_vocabularies),
                                       cmocka_unit_test(equal_counts_are_acc_e),
                                       cmocka_unit_test(errors_by_hand),
                                       cmocka_unit_test(tables_add_up),
                                       cmocka_unit_test(tables_grow),
                                       cmocka_unit_test(lack_of_memory_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
