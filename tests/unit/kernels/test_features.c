/* Tests of fp64 inner products, Gaussian sums and the analyses' figures: against plain loops, libm and NumPy's numbers. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/matrix/dots.h"
#include "kernels/base/fault.h"
#include "kernels/openness/features.h"
#include "kernels/base/isa_internal.h"

static uint64_t random_state = 7;

static float random_float(void) { return (float)((int64_t)random_next64(&random_state) >> 40) * 0x1p-23f; }

/* ---- inner products -------------------------------------------------------------------------------------------------- */

static void products_are_the_plain_loops(void **state) {
    (void)state;
    static const int shapes[][3] = {{1, 1, 1}, {8, 24, 256}, {9, 25, 257}, {17, 3, 513}, {3, 70, 31}, {64, 49, 512}};
    vb_isa best = vb_isa_level();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int m = shapes[s][0], n = shapes[s][1], dim = shapes[s][2];
        int64_t ld = vb_dots_cols(n);
        vb_error err = {0};
        float *a = vb_array((size_t)(m * dim), sizeof *a, "a", &err), *b = vb_array((size_t)(n * dim), sizeof *b, "b", &err);
        float *packed = vb_array((size_t)(ld * dim), sizeof *packed, "b", &err);
        double *c = vb_array((size_t)(vb_dots_rows(m) * ld), sizeof *c, "c", &err);
        for (int i = 0; i < m * dim; i++) a[i] = random_float() * (i % 5 ? 1 : 0x1p-70f);
        for (int i = 0; i < n * dim; i++) b[i] = random_float();
        vb_dots_pack(n, b, dim, packed);
        for (vb_isa level = VB_SCALAR; level <= best; level++) {
            vb_isa_limit(level);
            vb_dots(m, a, n, packed, dim, c, ld);
            for (int i = 0; i < m; i++)
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int k = 0; k < dim; k++) sum += (double)a[i * dim + k] * b[j * dim + k];
                    if (memcmp(&sum, &c[i * ld + j], sizeof sum))
                        fail_msg("%s, %d x %d x %d: (%d, %d) is %a, not %a", vb_isa_name(level), m, n, dim, i, j, c[i * ld + j],
                                 sum);
                }
        }
        vb_free(a), vb_free(b), vb_free(packed), vb_free(c);
    }
    vb_isa_limit(best);
}

static void gaussians_are_libms(void **state) {
    (void)state;
    enum { N = 1003 };
    static double dots[N], inverse[N];
    vb_isa best = vb_isa_level();
    for (int i = 0; i < N; i++) inverse[i] = 0.5 + 0.25 * (double)random_float();
    for (int64_t n = 0; n < N; n = n < 20 ? n + 1 : n * 2 + 1) {
        double sum = 0, value = NAN;
        for (int64_t i = 0; i < n; i++) {
            double cosine = n < 9 ? (i % 2 ? -1 : 1) : (double)random_float();
            dots[i] = cosine / inverse[i] / 1.25;
            sum += exp(4 * (cosine - 1));
        }
        for (vb_isa level = VB_SCALAR; level <= best; level++) {
            vb_isa_limit(level);
            double now = vb_dots_gauss_sum(n, dots, inverse, 1.25);
            if (level == VB_SCALAR) value = now;
            assert_memory_equal(&now, &value, sizeof now);
            assert_true(fabs(now - sum) <= 4e-15 * sum);
        }
        vb_isa_limit(best);
    }
}

/* ---- figures --------------------------------------------------------------------------------------------------------- */

enum { IMAGES = 5, TEXTS = 4, DIM = 7 };
static const int labels[IMAGES] = {0, 3, 1, 2, 3};

static void fill(float x[IMAGES * DIM], float t[TEXTS * DIM], float scale) {
    for (int i = 0; i < IMAGES; i++)
        for (int k = 0; k < DIM; k++) x[i * DIM + k] = scale * (float)((i * 7 + k * 3) % 11 - 4 + (k == 0) * 3);
    for (int c = 0; c < TEXTS; c++)
        for (int k = 0; k < DIM; k++) t[c * DIM + k] = (float)((c * 5 + k * 4) % 9 - 3 + (k == 1) * 2);
}

static void near(double value, double expected) {
    if (!(fabs(value - expected) < 1e-14)) fail_msg("%.17g, expected %.17g", value, expected);
}

static void figures_are_numpys(void **state) {
    (void)state;
    float x[IMAGES * DIM], t[TEXTS * DIM];
    double margins[IMAGES];
    vb_error err = {0};
    vb_feature_block texts, images;
    vb_similarity_sums sums = {.images = 0};
    fill(x, t, 0x1p40f);
    assert_ok(vb_features_block_new(&texts, t, TEXTS, DIM, &err));
    assert_ok(vb_features_similarity_add(&sums, &texts, x, 2, labels, margins, 1, &err));
    assert_ok(vb_features_similarity_add(&sums, &texts, x + 2 * DIM, 3, labels + 2, margins + 2, 2, &err));
    assert_int_equal(sums.images, 5);
    assert_int_equal(sums.negatives, 15);
    near(vb_fixed_sum_value(&sums.positive) / 5, 0.041605656784988329);
    near(vb_fixed_sum_value(&sums.negative) / 15, 0.15655590815377779);
    near(vb_fixed_sum_value(&sums.alignment) / 5, 1.9167886864300236);
    static const double expected[] = {-0.35386615374856634, -0.46485340476213871, -0.64993368361968151, -0.85143824965268911,
                                      0.19444444444444442};
    int64_t all = 0;
    for (int i = 0; i < IMAGES; i++) {
        near(margins[i], expected[i]);
        assert_true(sums.margin_bins[vb_features_histogram_bin(margins[i])] > 0);
    }
    for (int b = 0; b < VB_HISTOGRAM_BINS; b++) all += sums.margin_bins[b] + sums.positive_bins[b] + sums.negative_bins[b];
    assert_int_equal(all, 25);

    double inverse[IMAGES], text_inverse[TEXTS], value;
    vb_gauss_sum gauss = {0};
    vb_fixed_sum centroid[2][DIM];
    assert_ok(vb_features_inverse_norms(x, IMAGES, DIM, inverse, &err));
    assert_ok(vb_features_inverse_norms(t, TEXTS, DIM, text_inverse, &err));
    assert_ok(vb_features_block_new(&images, x, IMAGES, DIM, &err));
    assert_ok(vb_features_gauss_add(&gauss, x, inverse, IMAGES, &images, true, 2, &err));
    vb_features_block_free(&images);
    assert_int_equal(gauss.pairs, 10);
    value = vb_fixed_sum_value(&gauss.sum) / 10;
    near(log(value), -3.1309653566629438);
    /* In blocks of 2 and 3: the same pairs. */
    memset(&gauss, 0, sizeof gauss);
    assert_ok(vb_features_block_new(&images, x, 2, DIM, &err));
    assert_ok(vb_features_gauss_add(&gauss, x, inverse, 2, &images, true, 1, &err));
    assert_ok(vb_features_gauss_add(&gauss, x + 2 * DIM, inverse + 2, 3, &images, false, 1, &err));
    vb_features_block_free(&images);
    assert_ok(vb_features_block_new(&images, x + 2 * DIM, 3, DIM, &err));
    assert_ok(vb_features_gauss_add(&gauss, x + 2 * DIM, inverse + 2, 3, &images, true, 1, &err));
    vb_features_block_free(&images);
    assert_int_equal(gauss.pairs, 10);
    near(vb_fixed_sum_value(&gauss.sum) / 10, value);

    memset(centroid, 0, sizeof centroid);
    vb_features_centroid_add(centroid[0], x, inverse, IMAGES, DIM);
    vb_features_centroid_add(centroid[1], t, text_inverse, TEXTS, DIM);
    double square = 0;
    for (int k = 0; k < DIM; k++)
        square += pow(vb_fixed_sum_value(&centroid[0][k]) / IMAGES - vb_fixed_sum_value(&centroid[1][k]) / TEXTS, 2);
    near(sqrt(square), 0.53946482395745377);

    fill(x, t, 1);
    sums = (vb_similarity_sums){.images = 0};
    texts.similarity = VB_DOT;
    assert_ok(vb_features_similarity_add(&sums, &texts, x, IMAGES, labels, margins, 1, &err));
    static const double dots[] = {-2.2857142857142865, -3.8138503569823694, -4.5028726463187372, -6.4920213696055118,
                                  1.3471506281091266};
    for (int i = 0; i < IMAGES; i++) assert_true(fabs(margins[i] - dots[i]) < 1e-14);
    near(vb_fixed_sum_value(&sums.positive) / 5, 0.20282408689350495);
    near(vb_fixed_sum_value(&sums.alignment) / 5, 1.9167886864300236); /* stays a cosine's */
    assert_int_equal(sums.margin_bins[0], 4);
    assert_int_equal(sums.margin_bins[VB_HISTOGRAM_BINS - 1], 1);
    assert_int_equal(sums.margin_beyond, 5);
    vb_features_block_free(&texts);
}

/* Rows enough that every thread of a team has some before the first has taken all. */
static void threads_give_the_bits_of_one(void **state) {
    (void)state;
    enum { ROWS = 20000, PAIRED = 1000, TEAMS = 3 };
    static const int teams[TEAMS] = {1, 2, 7};
    static float x[ROWS * DIM];
    static double margins[TEAMS][ROWS], inverse[ROWS];
    static int own[ROWS];
    static vb_similarity_sums sums[TEAMS];
    float few[IMAGES * DIM], t[TEXTS * DIM];
    vb_error err = {0};
    vb_feature_block texts, images;
    vb_gauss_sum gauss[TEAMS] = {0};
    fill(few, t, 1);
    for (int i = 0; i < ROWS * DIM; i++) x[i] = random_float() + 2 * (i % DIM == i / DIM % DIM);
    for (int i = 0; i < ROWS; i++) own[i] = i % TEXTS;
    assert_ok(vb_features_block_new(&texts, t, TEXTS, DIM, &err));
    assert_ok(vb_features_inverse_norms(x, ROWS, DIM, inverse, &err));
    assert_ok(vb_features_block_new(&images, x, PAIRED, DIM, &err));
    for (int i = 0; i < TEAMS; i++) {
        assert_ok(vb_features_similarity_add(&sums[i], &texts, x, ROWS, own, margins[i], teams[i], &err));
        assert_ok(vb_features_gauss_add(&gauss[i], x, inverse, PAIRED, &images, true, teams[i], &err));
        assert_int_equal(sums[i].images, ROWS);
        assert_memory_equal(margins[i], margins[0], sizeof margins[0]);
        assert_memory_equal(&sums[i].images, &sums[0].images, sizeof sums[0] - offsetof(vb_similarity_sums, images));
        const vb_fixed_sum *found = &sums[i].positive, *expected = &sums[0].positive; /* and the three behind it */
        for (int k = 0; k < 4; k++) assert_true(vb_fixed_sum_value(&found[k]) == vb_fixed_sum_value(&expected[k]));
        assert_true(vb_fixed_sum_value(&gauss[i].sum) == vb_fixed_sum_value(&gauss[0].sum) && gauss[i].pairs == gauss[0].pairs);
    }
    double all = 0; /* exp(-2 |a - b|^2) over unit vectors, pair by pair */
    for (int i = 0; i < PAIRED; i++)
        for (int j = 0; j < i; j++) {
            double dot = 0;
            for (int k = 0; k < DIM; k++) dot += (double)x[i * DIM + k] * (double)x[j * DIM + k];
            all += exp(4 * dot * inverse[i] * inverse[j] - 4);
        }
    assert_true(fabs(vb_fixed_sum_value(&gauss[0].sum) / all - 1) < 1e-12);
    for (int i = 0; i < ROWS; i += 999) { /* and a row alone has the margin that it has among others */
        double alone;
        assert_ok(vb_features_similarity_add(&sums[0], &texts, x + i * DIM, 1, own + i, &alone, 1, &err));
        assert_true(alone == margins[0][i]);
    }
    vb_features_block_free(&texts);
    vb_features_block_free(&images);
}

static void order_statistics_are_numpys(void **state) {
    (void)state;
    double values[] = {-2.2857142857142865, -3.8138503569823694, -4.5028726463187372, -6.4920213696055118, 1.3471506281091266};
    static const double levels[] = {0, .1, .33, .5, .77, 1},
                        expected[] = {-6.492021369605512,  -5.696361880290802,  -4.282385513731099,
                                      -3.8138503569823694, -1.9950850926084132, 1.3471506281091266};
    vb_features_sort_doubles(values, 5);
    for (int i = 0; i < 6; i++) near(vb_features_quantile(values, 5, levels[i]), expected[i]);
    near(vb_features_median(values, 5), values[2]);
    near(vb_features_median(values, 4), (values[1] + values[2]) / 2);
    near(vb_features_median(values, 1), values[0]);
    near(vb_features_quantile(values, 1, 0.3), values[0]);
    near(vb_features_effective_rank((double[]){0.5, 0.25, 0.25, 0}, 4), 2.8284271247461898);
    near(vb_features_effective_rank((double[]){3, 0}, 2), 1);
    assert_true(isnan(vb_features_effective_rank((double[]){0, 0}, 2)));
}

static void bins_begin_where_they_say(void **state) {
    (void)state;
    for (int b = 0; b < VB_HISTOGRAM_BINS; b++) {
        double edge = (b - 100) / 100.0;
        assert_int_equal(vb_features_histogram_bin(edge), b);
        assert_int_equal(vb_features_histogram_bin(nextafter(edge, 2)), b);
        if (b) assert_int_equal(vb_features_histogram_bin(nextafter(edge, -2)), b - 1);
    }
    assert_int_equal(vb_features_histogram_bin(1), VB_HISTOGRAM_BINS - 1);
    assert_int_equal(vb_features_histogram_bin(7), VB_HISTOGRAM_BINS - 1);
    assert_int_equal(vb_features_histogram_bin(-7), 0);
    int64_t a[] = {1, 2, 1}, b[] = {0, 1, 1}, none[] = {0, 0, 0};
    near(vb_features_overlap(a, b, 3), 0.75);
    assert_true(isnan(vb_features_overlap(a, none, 3)));
}

static void one_class_has_no_margin(void **state) {
    (void)state;
    vb_error err = {0};
    float x[2] = {1, 1}, t[2] = {1, 0};
    double margin = 0;
    vb_feature_block texts;
    vb_similarity_sums sums = {.images = 0};
    assert_ok(vb_features_block_new(&texts, t, 1, 2, &err));
    assert_ok(vb_features_similarity_add(&sums, &texts, x, 1, (int[]){0}, &margin, 1, &err));
    assert_true(isnan(margin) && sums.margins == 0 && sums.negatives == 0);
    assert_fails(vb_features_similarity_add(&sums, &texts, x, 1, (int[]){1}, &margin, 1, &err), VB_EMISMATCH,
                 "label 1, expected 0 to 0");
    x[0] = x[1] = 0;
    assert_fails(vb_features_similarity_add(&sums, &texts, x, 1, (int[]){0}, &margin, 1, &err), VB_EDATA,
                 "row 0: all elements are zero");
    x[1] = NAN;
    assert_fails(vb_features_similarity_add(&sums, &texts, x, 1, (int[]){0}, &margin, 1, &err), VB_EDATA, "not finite");
    vb_features_block_free(&texts);
    assert_fails(vb_features_block_new(&texts, x, 1, 2, &err), VB_EDATA, "not finite");
    assert_null(texts.packed);
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    float x[IMAGES * DIM], t[TEXTS * DIM];
    double margins[IMAGES], inverse[IMAGES];
    fill(x, t, 1);
    for (int n = 1, status = -1; status; n++) {
        char fault[64];
        vb_error err = {0};
        vb_feature_block texts;
        vb_similarity_sums sums = {.images = 0};
        vb_gauss_sum gauss = {0};
        assert_true(n < 50);
        snprintf(fault, sizeof fault, "alloc:%d:ENOMEM", n);
        vb_fault_setup(fault, 0);
        status = vb_features_block_new(&texts, t, TEXTS, DIM, &err);
        if (!status) status = vb_features_similarity_add(&sums, &texts, x, IMAGES, labels, margins, 2, &err);
        if (!status) status = vb_features_inverse_norms(x, IMAGES, DIM, inverse, &err);
        if (!status) status = vb_features_gauss_add(&gauss, x, inverse, IMAGES, &texts, false, 2, &err);
        vb_features_block_free(&texts);
        vb_fault_setup(NULL, 0);
        if (status) assert_int_equal(err.code, VB_EMEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_the_plain_loops), cmocka_unit_test(gaussians_are_libms),
        cmocka_unit_test(figures_are_numpys),           cmocka_unit_test(threads_give_the_bits_of_one),
        cmocka_unit_test(order_statistics_are_numpys),  cmocka_unit_test(bins_begin_where_they_say),
        cmocka_unit_test(one_class_has_no_margin),      cmocka_unit_test(memory_may_run_out_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
