/* Tests of masses, separation and calibration: against libm, all pairs and all thresholds, and plain loops. */
#include "kernels/openness/confidence.h"

#include <math.h>

#include "kernels/base/isa_internal.h"
#include "kernels/matrix/dots.h"
#include "kernels/openness/masses.h"
#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"

static uint64_t random_state = 11;
static double random_value(void) { return (double)random_below(&random_state, 2001) / 1000 - 1; }

static void exponentials_are_libms(void **state) {
    (void)state;
    enum { N = 1003 };
    static double values[N];
    vb_isa best = vb_isa_level();
    for (int64_t n = 0; n < N; n = n < 20 ? n + 1 : n * 2 + 1) {
        double factor = n % 3 ? 100 : 1.5, top = n % 2 ? 1 : 0.4, sum = 0, first = 0;
        for (int64_t i = 0; i < n; i++) {
            values[i] = top - (1 + random_value()) * (n % 5 ? 1 : 1e-3);
            sum += exp((values[i] - top) * factor);
        }
        for (vb_isa level = VB_SCALAR; level <= best; level++) {
            vb_isa_limit(level);
            double now = vb_dots_exponential_sum(n, values, top, factor);
            if (level == VB_SCALAR) first = now;
            assert_memory_equal(&now, &first, sizeof now);
            assert_true(fabs(now - sum) <= 4e-15 * sum);
            /* Far below counts as next to nothing, and not as anything else. */
            double far = -1e6;
            now = vb_dots_exponential_sum(1, &far, top, factor);
            assert_true(now > 0 && now < 1e-300);
        }
        vb_isa_limit(best);
    }
}

static void masses_join(void **state) {
    (void)state;
    double values[40];
    for (int round = 0; round < 200; round++) {
        int n = (int)random_below(&random_state, 40) + 1, cut = (int)random_below(&random_state, (unsigned)n + 1);
        double scale = round % 2 ? 100 : 3, top = -2, sum = 0;
        for (int i = 0; i < n; i++) {
            values[i] = random_value();
            if (values[i] > top) top = values[i];
        }
        for (int i = 0; i < n; i++) sum += exp(scale * (values[i] - top));
        vb_mass a = vb_confidence_mass(values, cut, scale), b = vb_confidence_mass(values + cut, n - cut, scale);
        vb_mass joined = vb_confidence_join(a, b, scale), other = vb_confidence_join(b, a, scale);
        assert_true(joined.top == top && other.top == top);
        assert_true(fabs(vb_confidence_of(joined) - 1 / sum) < 1e-13 && fabs(vb_confidence_of(other) - 1 / sum) < 1e-13);
        a = vb_confidence_join(vb_confidence_mass(values, cut, NAN), vb_confidence_mass(values + cut, n - cut, NAN), NAN);
        assert_true(a.top == top && isnan(vb_confidence_of(a)));
    }
    assert_true(isnan(vb_confidence_of(vb_confidence_mass(values, 0, 100))));
}

/* All pairs; all scores as thresholds. */
static void groups_are_separated_as_by_all_pairs(void **state) {
    (void)state;
    double present[60], absent[80], sorted_present[60], sorted_absent[80];
    int ties = 0;
    for (int round = 0; round < 400; round++) {
        int n = (int)random_below(&random_state, 60) + 1, m = (int)random_below(&random_state, 80) + 1,
            grain = round % 2 ? 5 : 1000;
        for (int i = 0; i < n; i++) present[i] = sorted_present[i] = floor(grain * (random_value() + 0.4)) / grain;
        for (int i = 0; i < m; i++) absent[i] = sorted_absent[i] = floor(grain * random_value()) / grain;
        double wins = 0, fpr = 1;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++) {
                wins += present[i] > absent[j] ? 1 : present[i] == absent[j] ? 0.5 : 0;
                ties += present[i] == absent[j];
            }
        for (int i = 0; i < n; i++) {
            int reach = 0, false_alarms = 0;
            for (int k = 0; k < n; k++) reach += present[k] >= present[i];
            for (int j = 0; j < m; j++) false_alarms += absent[j] >= present[i];
            if (100 * reach >= 95 * n && (double)false_alarms / m < fpr) fpr = (double)false_alarms / m;
        }
        vb_separation found = vb_confidence_separate(sorted_present, n, sorted_absent, m);
        assert_true(found.auroc == wins / ((double)n * m));
        assert_true(found.fpr95 == fpr);
    }
    assert_true(ties > 1000);
    assert_true(isnan(vb_confidence_separate(present, 0, absent, 5).auroc) &&
                isnan(vb_confidence_separate(present, 5, absent, 0).fpr95));
}

static void calibration_is_the_plain_loop(void **state) {
    (void)state;
    enum { N = 500 };
    double confidence[N];
    bool right[N];
    vb_calibration calibration = {{0}, {0}, {{{0}, 0, 0}}};
    assert_true(isnan(vb_confidence_figures(&calibration).ece));
    for (int i = 0; i < N; i++) {
        confidence[i] = i < 16 ? i / 15.0 : (1 + random_value()) / 2;
        if (i >= 16 && i < 31) confidence[i] = nextafter((i - 15) / 15.0, i % 2 ? 2 : 0);
        right[i] = random_below(&random_state, 100) < 60;
        vb_confidence_add(&calibration, confidence[i], right[i]);
    }
    double ece = 0, mean = 0, accuracy = 0;
    for (int b = 0; b < 15; b++) {
        double sum = 0, hits = 0;
        int count = 0;
        for (int i = 0; i < N; i++) {
            bool above = !b || confidence[i] > b / 15.0, below = b == 14 || confidence[i] <= (b + 1) / 15.0;
            if (!above || !below) continue;
            sum += confidence[i];
            hits += right[i];
            count++;
        }
        assert_int_equal(calibration.count[b], count);
        assert_int_equal(calibration.right[b], (int)hits);
        if (count) ece += fabs(hits / count - sum / count) * count / N;
    }
    for (int i = 0; i < N; i++) {
        mean += confidence[i] / N;
        accuracy += right[i];
    }
    vb_calibration_figures figures = vb_confidence_figures(&calibration);
    assert_int_equal(figures.count, N);
    assert_true(fabs(figures.ece - ece) < 1e-14 && fabs(figures.confidence - mean) < 1e-13);
    assert_true(figures.accuracy == accuracy / N);
}

/* Images of 5 classes in 3 vocabularies with 30 names in two orders, by plain loops over the texts of each set. */
static void masses_of_images_are_the_plain_loops(void **state) {
    (void)state;
    enum { IMAGES = 21, CLASSES = 5, NAMES = 30, DIM = 9, DRAWS = 2, POINTS = 4, MASSES = 3 + 1 + DRAWS * (POINTS - 1) };
    static const int offsets[] = {0, 2, 4, 6}, members[] = {0, 1, 2, 3, 3, 4};
    static const int64_t points[POINTS] = {0, 1, 10, NAMES};
    const vb_label_space space = {.classes = CLASSES, .vocabularies = 3, .offsets = offsets, .members = members};
    vb_error err = {0};
    float images[IMAGES * DIM], texts[(CLASSES + NAMES) * DIM];
    int order[DRAWS * NAMES];
    vb_mass mass[IMAGES * MASSES], again[IMAGES * MASSES];
    for (int i = 0; i < IMAGES * DIM; i++) images[i] = (float)random_value();
    for (int i = 0; i < (CLASSES + NAMES) * DIM; i++) texts[i] = (float)random_value();
    for (int i = 0; i < DRAWS * NAMES; i++) order[i] = i < NAMES ? i : (i * 7 + 3) % NAMES;
    for (int similarity = VB_COSINE; similarity <= VB_DOT; similarity++) {
        vb_feature_block classes, names;
        assert_ok(vb_features_block_new(&classes, texts, CLASSES, DIM, &err));
        assert_ok(vb_features_block_new(&names, texts + CLASSES * DIM, NAMES, DIM, &err));
        classes.similarity = names.similarity = (vb_similarity)similarity;
        const vb_mass_texts all = {&space, &classes, &names, DRAWS, order, points, POINTS, 20};
        assert_int_equal(vb_masses_count(&all), MASSES);
        assert_ok(vb_masses(&all, images, IMAGES, mass, 1, &err));
        assert_ok(vb_masses(&all, images, IMAGES, again, 3, &err));
        assert_memory_equal(mass, again, sizeof mass);
        for (int i = 0; i < IMAGES; i++) {
            double s[CLASSES + NAMES], length = 0;
            for (int k = 0; k < DIM; k++) length += (double)images[i * DIM + k] * images[i * DIM + k];
            for (int c = 0; c < CLASSES + NAMES; c++) {
                double dot = 0, square = 0;
                for (int k = 0; k < DIM; k++) {
                    dot += (double)images[i * DIM + k] * texts[c * DIM + k];
                    square += (double)texts[c * DIM + k] * texts[c * DIM + k];
                }
                s[c] = dot / sqrt(length) / (similarity == VB_COSINE ? sqrt(square) : 1);
            }
            for (int m = 0; m < MASSES; m++) {
                int draw = (m - 4) / (POINTS - 1), p = (m - 4) % (POINTS - 1) + 1, list[NAMES], n = 0;
                if (m < 3) list[n++] = members[2 * m], list[n++] = members[2 * m + 1];
                for (int c = 0; m == 3 && c < CLASSES; c++) list[n++] = c;
                for (int k = 0; m > 3 && k < points[p]; k++) list[n++] = CLASSES + order[draw * NAMES + k];
                double top = -INFINITY, sum = 0;
                for (int k = 0; k < n; k++) top = s[list[k]] > top ? s[list[k]] : top;
                for (int k = 0; k < n; k++) sum += exp(20 * (s[list[k]] - top));
                assert_true(fabs(mass[i * MASSES + m].top - top) < 1e-13);
                assert_true(fabs(mass[i * MASSES + m].sum - sum) < 1e-11 * sum);
            }
        }
        memset(images + 2 * DIM, 0, DIM * sizeof *images);
        assert_fails(vb_masses(&all, images, IMAGES, mass, 2, &err), VB_EDATA, "row 2: all elements are zero");
        for (int k = 0; k < DIM; k++) images[2 * DIM + k] = (float)k - 3;
        vb_features_block_free(&classes);
        vb_features_block_free(&names);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(exponentials_are_libms), cmocka_unit_test(masses_join),
                                       cmocka_unit_test(masses_of_images_are_the_plain_loops),
                                       cmocka_unit_test(groups_are_separated_as_by_all_pairs),
                                       cmocka_unit_test(calibration_is_the_plain_loop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
