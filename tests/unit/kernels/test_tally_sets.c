/* Tests of images with sets of right classes: all figures against the definition, the first-ranked class of a union of
 * vocabularies being of the set, over all orders and all unions. */
#include <math.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/near.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/openness/figure_errors.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/set_views.h"

enum { MAX_N = 22, MAX_CLASSES = 70, MAX_IMAGES = 120, MAX_SET = 4, DIM = 3 };

static uint64_t random_state;

static int random_int(int low, int high) { return low + (int)random_below(&random_state, (uint32_t)(high - low + 1)); }

/* Small integers, so that dot products are exact and often equal. */
typedef struct scene {
    int offsets[MAX_N + 1], members[3 * MAX_CLASSES];
    vb_label_space space;
    float texts[MAX_CLASSES * DIM], rows[MAX_IMAGES * DIM];
    int images, lists[MAX_IMAGES][MAX_SET];
    vb_class_set sets[MAX_IMAGES];
} scene;

static bool holds(const scene *s, int v, int c) {
    for (int i = s->offsets[v]; i < s->offsets[v + 1]; i++)
        if (s->members[i] == c) return true;
    return false;
}

static bool belongs(const scene *s, int x, int v) {
    for (int i = 0; i < s->sets[x].count; i++)
        if (holds(s, v, s->lists[x][i])) return true;
    return false;
}

/* The first class of the list that vocabulary v holds: the image's there. */
static int class_in(const scene *s, int x, int v) {
    for (int i = 0; i < s->sets[x].count; i++)
        if (holds(s, v, s->lists[x][i])) return s->lists[x][i];
    return -1;
}

/* most: classes of a set; crossing: of any vocabulary, else all of one; guests: classes of several vocabularies. */
static void make_scene(scene *s, int n, int images, int most, bool crossing, bool guests) {
    memset(s, 0, sizeof *s);
    int used = 0, classes = 0;
    for (int v = 0; v < n; v++) {
        int first = classes;
        for (int i = random_int(1, 3); i > 0; i--) s->members[used++] = classes++;
        if (guests && first && random_int(0, 1)) s->members[used++] = random_int(0, first - 1);
        s->offsets[v + 1] = used;
    }
    s->space =
        (vb_label_space){.classes = classes, .vocabularies = n, .offsets = s->offsets, .members = s->members, .sets = true};
    for (int i = 0; i < classes * DIM; i++) s->texts[i] = (float)random_int(-2, 2);
    for (s->images = 0; s->images < images; s->images++) {
        int x = s->images, v = x < n ? x : random_int(0, n - 1), wanted = random_int(1, most), count = 0;
        for (int k = 0; k < DIM; k++) s->rows[x * DIM + k] = (float)random_int(-2, 2);
        s->rows[x * DIM + random_int(0, DIM - 1)] = 1;
        for (int i = 0; i < wanted; i++) {
            int u = crossing && i ? random_int(0, n - 1) : v, c = s->members[random_int(s->offsets[u], s->offsets[u + 1] - 1)];
            bool known = false;
            for (int j = 0; j < count; j++) known |= s->lists[x][j] == c;
            if (!known) s->lists[x][count++] = c;
        }
        s->sets[x] = (vb_class_set){s->lists[x], count};
    }
}

static double score(const scene *s, int x, int c) {
    double sum = 0;
    for (int k = 0; k < DIM; k++) sum += (double)s->rows[x * DIM + k] * s->texts[c * DIM + k];
    return sum;
}

/* Whether the first-ranked class of the vocabularies is of the image's set. */
static bool right_among(const scene *s, int x, const int *set, int count) {
    int best = -1;
    for (int i = 0; i < count; i++)
        for (int j = s->offsets[set[i]]; j < s->offsets[set[i] + 1]; j++) {
            int c = s->members[j];
            double difference = best < 0 ? 1 : score(s, x, c) - score(s, x, best);
            if (difference > 0 || (difference == 0 && c < best)) best = c;
        }
    return vb_label_space_holds(&s->sets[x], best);
}

static vb_tally *tally_of(const scene *s, const vb_protocol *protocol, int parts) {
    vb_error err = {0};
    vb_tally *tally[3] = {NULL};
    vb_text_bank *bank;
    vb_memberships memberships;
    vb_set_views views;
    const int n = s->space.vocabularies;
    size_t count = 0;
    static uint8_t beaten[MAX_IMAGES * MAX_SET * MAX_N];
    const vb_image_block block = {.rows = s->images, .images = s->rows, .sets = s->sets};
    assert_ok(vb_similarity_bank_new(&bank, s->texts, s->space.classes, DIM, VB_DOT, &err));
    assert_ok(vb_label_space_memberships_new(&memberships, &s->space, &err));
    assert_ok(vb_set_views_new(&views, bank, DIM, &memberships, &block, &err));
    assert_ok(vb_similarity_judge(bank, &s->space, &views.block, beaten, NULL, 1, &err));
    for (int p = 0; p < parts; p++) assert_ok(vb_tally_new(&tally[p], &s->space, protocol, &err));
    for (int x = 0; x < s->images; x++) {
        int64_t at = views.first[x];
        vb_tally_add_set(tally[x % parts], &s->sets[x], views.labels + at, (int)(views.first[x + 1] - at), beaten + at * n);
    }
    int64_t *sum = vb_tally_counters(tally[0], &count);
    for (int p = 1; p < parts; p++) {
        const int64_t *more = vb_tally_counters(tally[p], &count);
        for (size_t i = 0; i < count; i++) sum[i] += more[i];
        vb_tally_free(tally[p]);
    }
    vb_set_views_free(&views);
    vb_label_space_memberships_free(&memberships);
    vb_similarity_bank_free(bank);
    return tally[0];
}

/* ---- all orders ---- */

typedef struct brute {
    const scene *s;
    double curve[MAX_IMAGES][MAX_N]; /* right after 0, 1 .. foreign ones, of all orders that begin with the target */
    int orders;
} brute;

static void visit(brute *b, const int *order) {
    b->orders++;
    for (int x = 0; x < b->s->images; x++)
        for (int i = 0; belongs(b->s, x, order[0]) && i < b->s->space.vocabularies; i++)
            b->curve[x][i] += right_among(b->s, x, order, i + 1);
}

static void all_orders(brute *b, int *order, int at) {
    int n = b->s->space.vocabularies;
    if (at >= n - 1) {
        visit(b, order);
        return;
    }
    for (int i = at; i < n; i++) {
        int kept = order[at];
        order[at] = order[i], order[i] = kept;
        all_orders(b, order, at + 1);
        kept = order[at], order[at] = order[i], order[i] = kept;
    }
}

static double mean_of(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

static void check_mean(double found, double error, const double *x, int n) {
    double mean = mean_of(x, n), squares = 0;
    for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    assert_near_or_none(found, mean, 1e-10);
    assert_near_or_none(error, n < 2 ? NAN : sqrt(squares / (n - 1) / n), 1e-10);
}

static void check_target(const scene *s, const vb_openness_result *result, int t) {
    static brute b;
    const int n = s->space.vocabularies;
    const vb_vocabulary_openness *v = &result->vocabulary[t];
    double c[MAX_IMAGES], e[MAX_IMAGES], st[MAX_IMAGES], curve[MAX_N] = {0};
    int images = 0, harm[MAX_N] = {0}, theft[MAX_N] = {0}, order[MAX_N] = {t}, its[MAX_IMAGES];
    b = (brute){.s = s};
    for (int i = 1; i < n; i++) order[i] = i - 1 + (i - 1 >= t);
    all_orders(&b, order, 1);
    for (int x = 0; x < s->images; x++) {
        if (!belongs(s, x, t)) continue;
        double *of = b.curve[x];
        for (int i = 0; i < n; i++) curve[i] += of[i] /= b.orders;
        c[images] = of[0];
        e[images] = mean_of(of, n);
        st[images] = n > 1 ? mean_of(of + 1, n - 1) : NAN;
        int lost = 0;
        for (int u = 0; u < n && of[0] > 0; u++) {
            int alone = u != t && !right_among(s, x, (const int[]){t, u}, 2);
            theft[u] += alone;
            lost += alone;
        }
        if (of[0] > 0) harm[lost]++;
        its[images++] = x;
    }
    assert_int_equal(v->images, images);
    check_mean(v->acc_c, v->acc_c_se, c, images);
    check_mean(v->acc_e, v->acc_e_se, e, images);
    check_mean(v->acc_s, v->acc_s_se, st, images);
    for (int i = 0; i < n; i++) {
        assert_near(v->curve[i], curve[i] / images, 1e-12);
        assert_int_equal(v->harm_histogram[i], harm[i]);
        assert_int_equal(v->theft[i], theft[i]);
    }
    for (int class = 0; class < s->space.classes; class ++) {
        int first = 0, count = 0;
        double sums[3] = {0};
        while (!holds(s, first, class)) first++;
        if (first != t) continue;
        for (int i = 0; i < images; i++)
            if (class_in(s, its[i], t) == class) sums[0] += c[i], sums[1] += e[i], sums[2] += st[i], count++;
        const vb_class_openness *of = &result->class[class];
        assert_int_equal(of->images, count);
        assert_near_or_none(of->acc_c, count ? sums[0] / count : NAN, 1e-10);
        assert_near_or_none(of->acc_e, count ? sums[1] / count : NAN, 1e-10);
        assert_near_or_none(of->acc_s, count && n > 1 ? sums[2] / count : NAN, 1e-10);
    }
}

static double accuracy_of_union(const scene *s, const int *set, int count) {
    int images = 0, right = 0;
    for (int x = 0; x < s->images; x++) {
        bool here = false;
        for (int i = 0; i < count && !here; i++) here = belongs(s, x, set[i]);
        images += here;
        right += here && right_among(s, x, set, count);
    }
    return (double)right / images;
}

static double mean_over_unions(const scene *s) {
    int n = s->space.vocabularies, set[MAX_N];
    double sum[MAX_N] = {0};
    int count[MAX_N] = {0};
    for (int bits = 1; bits < 1 << n; bits++) {
        int size = 0;
        for (int v = 0; v < n; v++)
            if (bits >> v & 1) set[size++] = v;
        sum[size - 1] += accuracy_of_union(s, set, size);
        count[size - 1]++;
    }
    for (int i = 0; i < n; i++) sum[i] /= count[i];
    return mean_of(sum, n);
}

static void check_scene(const scene *s) {
    vb_error err = {0};
    vb_openness_result result;
    const int n = s->space.vocabularies;
    vb_tally *tally = tally_of(s, &(vb_protocol){0}, 3);
    assert_ok(vb_openness(&result, tally, &err));
    double alone;
    assert_ok(vb_openness_acc_e_without((const vb_tally *const[]){tally, tally}, 2, 1, &alone, &err));
    assert_true(alone == result.acc_e);
    int right = 0, all[MAX_N];
    for (int v = 0; v < n; v++) all[v] = v;
    for (int x = 0; x < s->images; x++) right += right_among(s, x, all, n);
    assert_int_equal(result.images, s->images);
    assert_near(result.top1_all, (double)right / s->images, 1e-15);
    assert_near(result.acc_e_union, mean_over_unions(s), 1e-12);
    for (int t = 0; t < n; t++) {
        int64_t images = 0;
        for (int x = 0; x < s->images; x++) images += belongs(s, x, t);
        assert_int_equal(vb_tally_images(tally, t), images);
        check_target(s, &result, t);
    }
    vb_openness_free(&result);
    vb_tally_free(tally);
}

static void figures_are_those_of_the_definition(void **state) {
    (void)state;
    static scene s;
    random_state = 3;
    for (int round = 0; round < 60; round++) {
        make_scene(&s, 1 + round % 5, 40, 1 + round % MAX_SET, round % 3, round % 2);
        check_scene(&s);
    }
}

/* Orders as they are drawn; the union's with more vocabularies than there are sets for. */
static void drawn_orders_are_right(void **state) {
    (void)state;
    static scene s;
    random_state = 4;
    for (int round = 0; round < 2; round++) {
        const int n = round ? MAX_N : 4, trials = 2, permutations = 30;
        const vb_protocol protocol = {.sampled = true, .trials = trials, .seed = 7, .union_permutations = permutations};
        vb_error err = {0};
        vb_openness_result result;
        vb_numpy_rng rng;
        int order[MAX_N];
        make_scene(&s, n, MAX_IMAGES, MAX_SET, true, true);
        vb_tally *tally = tally_of(&s, &protocol, 2);
        assert_ok(vb_openness(&result, tally, &err));
        vb_numpy_rng_seed(&rng, protocol.seed);
        for (int t = 0; t < n; t++) {
            double e = 0, stable = 0;
            for (int k = 0; k < trials; k++) {
                double classes[MAX_CLASSES] = {0};
                int images[MAX_CLASSES] = {0}, with = 0;
                order[0] = t;
                for (int i = 1; i < n; i++) order[i] = i - 1 + (i - 1 >= t);
                vb_numpy_rng_permutation(&rng, order + 1, n - 1);
                for (int i = 1; i <= n; i++) e += accuracy_of_union(&s, order, i) / n / trials;
                for (int x = 0; x < s.images; x++) {
                    int class = class_in(&s, x, t);
                    if (class < 0) continue;
                    images[class]++;
                    for (int i = 2; i <= n; i++) classes[class] += right_among(&s, x, order, i);
                }
                for (int c = 0; c < s.space.classes; c++) with += images[c] > 0;
                for (int c = 0; c < s.space.classes; c++)
                    if (images[c]) stable += classes[c] / images[c] / with / (n - 1) / trials;
            }
            assert_near(result.vocabulary[t].sampled_e, e, 1e-12);
            assert_near(result.vocabulary[t].sampled_s, stable, 1e-12);
        }
        if (round) {
            double mean = 0;
            vb_numpy_rng_seed(&rng, protocol.seed);
            for (int o = 0; o < permutations; o++) {
                for (int i = 0; i < n; i++) order[i] = i;
                vb_numpy_rng_permutation(&rng, order, n);
                for (int i = 1; i <= n; i++) mean += accuracy_of_union(&s, order, i) / n / permutations;
            }
            assert_string_equal(result.union_method, "sampled");
            assert_near(result.acc_e_union, mean, 1e-12);
        }
        vb_openness_free(&result);
        vb_tally_free(tally);
    }
}

/* Sets of one class each are what single classes are. */
static void sets_of_one_are_single_classes(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    random_state = 5;
    make_scene(&s, 5, 100, 1, false, true);
    vb_openness_result sets, single;
    vb_tally *tally = tally_of(&s, &(vb_protocol){0}, 1), *plain;
    vb_text_bank *bank;
    static uint8_t beaten[MAX_IMAGES * MAX_N];
    int labels[MAX_IMAGES];
    assert_ok(vb_openness(&sets, tally, &err));
    s.space.sets = false;
    for (int x = 0; x < s.images; x++) labels[x] = s.lists[x][0];
    assert_ok(vb_similarity_bank_new(&bank, s.texts, s.space.classes, DIM, VB_DOT, &err));
    const vb_image_block block = {.rows = s.images, .images = s.rows, .labels = labels};
    assert_ok(vb_similarity_judge(bank, &s.space, &block, beaten, NULL, 1, &err));
    assert_ok(vb_tally_new(&plain, &s.space, &(vb_protocol){0}, &err));
    for (int x = 0; x < s.images; x++) vb_tally_add(plain, labels[x], beaten + x * s.space.vocabularies);
    assert_ok(vb_openness(&single, plain, &err));
    assert_memory_equal(&sets.acc_c, &single.acc_c,
                        offsetof(vb_openness_result, union_method) - offsetof(vb_openness_result, acc_c));
    for (int t = 0; t < 5; t++) assert_memory_equal(sets.vocabulary[t].curve, single.vocabulary[t].curve, 5 * sizeof(double));
    assert_memory_equal(sets.class, single.class, (size_t)s.space.classes * sizeof *sets.class);
    vb_openness_free(&sets);
    vb_openness_free(&single);
    vb_tally_free(tally);
    vb_tally_free(plain);
    vb_similarity_bank_free(bank);
}

/* Where all images have one score their deviation is rounding, and no error: the interval is Wilson's of so many draws, neither a
 * point nor everything. Of the ten images of t two are right alone, the others once u has come: Acc-S is 1 for each. */
static void equal_scores_have_no_error(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    vb_openness_result result;
    vb_figure_errors errors;
    const float texts[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    memset(&s, 0, sizeof s);
    memcpy(s.offsets, (const int[]){0, 2, 3}, 3 * sizeof(int));
    for (int c = 0; c < 3; c++) s.members[c] = c;
    s.space = (vb_label_space){.classes = 3, .vocabularies = 2, .offsets = s.offsets, .members = s.members, .sets = true};
    memcpy(s.texts, texts, sizeof texts);
    for (s.images = 0; s.images < 10; s.images++) {
        const float row[] = {s.images < 2 ? 2 : 1, s.images < 2 ? 1 : 2, 3};
        memcpy(s.rows + s.images * DIM, row, sizeof row);
        s.lists[s.images][1] = 2;
        s.sets[s.images] = (vb_class_set){s.lists[s.images], 2};
    }
    vb_tally *tally = tally_of(&s, &(vb_protocol){0}, 1);
    assert_ok(vb_openness(&result, tally, &err));
    assert_ok(vb_figure_errors_new(&errors, tally, &result, &err));
    const vb_spread *stable = &errors.vocabulary[0].figure[VB_ACC_S];
    const double squared_quantile = 1.959963984540054 * 1.959963984540054;
    assert_near(result.vocabulary[0].acc_c, 0.2, 1e-15);
    assert_near(result.vocabulary[0].acc_s, 1, 1e-15);
    assert_true(result.vocabulary[0].acc_s_se == 0);
    assert_true(stable->error[VB_SPREAD_IMAGES] == 0);
    assert_near(stable->low[VB_SPREAD_IMAGES], 1 / (1 + squared_quantile / 10), 1e-12);
    assert_near(errors.vocabulary[0].figure[VB_ACC_E].error[VB_SPREAD_IMAGES], sqrt(0.04 / 9), 1e-12);
    vb_figure_errors_free(&errors);
    vb_openness_free(&result);
    vb_tally_free(tally);
}

static void bad_images_are_named(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    vb_text_bank *bank;
    vb_memberships memberships;
    vb_set_views views;
    random_state = 6;
    make_scene(&s, 3, 10, 3, true, false);
    const vb_image_block block = {.rows = s.images, .images = s.rows, .sets = s.sets};
    assert_ok(vb_similarity_bank_new(&bank, s.texts, s.space.classes, DIM, VB_DOT, &err));
    assert_ok(vb_label_space_memberships_new(&memberships, &s.space, &err));
    s.rows[4 * DIM + 1] = NAN;
    assert_int_equal(vb_set_views_new(&views, bank, DIM, &memberships, &block, &err), -1);
    assert_int_equal(err.code, VB_EDATA);
    assert_non_null(strstr(err.text, "row 4: element 1 is NaN"));
    vb_set_views_free(&views);
    s.rows[4 * DIM + 1] = 1;
    s.lists[2][0] = s.space.classes;
    assert_int_equal(vb_set_views_new(&views, bank, DIM, &memberships, &block, &err), -1);
    assert_int_equal(err.code, VB_EMISMATCH);
    vb_set_views_free(&views);
    vb_label_space_memberships_free(&memberships);
    vb_similarity_bank_free(bank);
}

/* The first-ranked class of each vocabulary that beats a view, by search. */
static void takers_are_the_first_ranked(void **state) {
    (void)state;
    static scene s;
    static uint8_t beaten[MAX_IMAGES * MAX_SET * MAX_N];
    static int takers[MAX_IMAGES * MAX_SET * MAX_N];
    vb_error err = {0};
    vb_text_bank *bank;
    vb_memberships memberships;
    vb_set_views views;
    random_state = 8;
    make_scene(&s, 6, 100, MAX_SET, true, true);
    const vb_image_block block = {.rows = s.images, .images = s.rows, .sets = s.sets};
    assert_ok(vb_similarity_bank_new(&bank, s.texts, s.space.classes, DIM, VB_DOT, &err));
    assert_ok(vb_label_space_memberships_new(&memberships, &s.space, &err));
    assert_ok(vb_set_views_new(&views, bank, DIM, &memberships, &block, &err));
    views.block.takers = takers;
    assert_ok(vb_similarity_judge(bank, &s.space, &views.block, beaten, NULL, 2, &err));
    for (int x = 0; x < s.images; x++)
        for (int64_t k = views.first[x]; k < views.first[x + 1]; k++)
            for (int u = 0; u < 6; u++) {
                int best = -1, y = views.labels[k];
                for (int i = s.offsets[u]; i < s.offsets[u + 1]; i++) {
                    int c = s.members[i];
                    double difference = score(&s, x, c) - score(&s, x, best < 0 ? y : best);
                    bool before = difference > 0 || (difference == 0 && c < (best < 0 ? y : best));
                    if (before && !vb_label_space_holds(&s.sets[x], c)) best = c;
                }
                assert_int_equal(takers[k * 6 + u], best);
                assert_int_equal(beaten[k * 6 + u], best >= 0);
            }
    vb_set_views_free(&views);
    vb_label_space_memberships_free(&memberships);
    vb_similarity_bank_free(bank);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    static scene s;
    vb_error err = {0};
    vb_text_bank *bank;
    vb_memberships memberships;
    random_state = 9;
    for (int n = 4; n <= MAX_N; n += MAX_N - 4) {
        make_scene(&s, n, 60, 3, true, true);
        const vb_protocol protocol = {.sampled = true, .trials = 1, .union_permutations = 2};
        const vb_image_block block = {.rows = s.images, .images = s.rows, .sets = s.sets};
        assert_ok(vb_similarity_bank_new(&bank, s.texts, s.space.classes, DIM, VB_DOT, &err));
        assert_ok(vb_label_space_memberships_new(&memberships, &s.space, &err));
        int failures = 0;
        for (bool done = false; !done;) {
            char fault[32];
            vb_tally *tally = NULL;
            vb_set_views views = {0};
            snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", failures + 1);
            vb_fault_setup(fault, 0);
            done = !vb_set_views_new(&views, bank, DIM, &memberships, &block, &err) &&
                   !vb_tally_new(&tally, &s.space, &protocol, &err);
            vb_fault_setup(NULL, 0);
            if (!done) assert_int_equal(err.code, VB_EMEMORY);
            failures += !done;
            vb_tally_free(tally);
            vb_set_views_free(&views);
        }
        assert_true(failures >= 10);
        vb_label_space_memberships_free(&memberships);
        vb_similarity_bank_free(bank);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_definition), cmocka_unit_test(drawn_orders_are_right),
        cmocka_unit_test(sets_of_one_are_single_classes),      cmocka_unit_test(bad_images_are_named),
        cmocka_unit_test(takers_are_the_first_ranked),         cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(equal_scores_have_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
