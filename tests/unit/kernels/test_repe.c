/* Tests of REPE's filter against cases worked out by hand, and of its blend against the formula in double. */
#include <math.h>

#include "kernels/openness/repe.h"
#include "tests/unit/vb_test.h"

static void the_filter_is_the_official_one(void **state) {
    (void)state;
    vb_error err = {0};
    static const struct {
        const char *class, *caption;
        bool holds;
    } cases[] = {{"pickup_truck", "An old PICKUP parked", true},
                 {"ray", "a stingray", true},
                 {"sweet pepper", "red peppers", true},
                 {"bee", "a dog", false},
                 {"Große Katze", "eine GROSSE KATZE", true},
                 {"man-made thing", "man made", false},
                 {"bee", "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_class_words words;
        bool holds;
        assert_ok(vb_repe_words_new(&words, cases[i].class, &err));
        assert_ok(vb_repe_caption_holds(&words, cases[i].caption, &holds, &err));
        assert_int_equal(holds, cases[i].holds);
        vb_repe_words_free(&words);
    }
}

static void the_blend_is_the_formula(void **state) {
    (void)state;
    vb_error err = {0};
    enum { DIM = 19, ROWS = 5 };
    float text[DIM], rows[ROWS][DIM], out[DIM];
    const float *pointers[ROWS];
    for (int k = 0; k < DIM; k++) text[k] = (float)sin(k + 1) * 3;
    for (int r = 0; r < ROWS; r++) {
        pointers[r] = rows[r];
        for (int k = 0; k < DIM; k++) rows[r][k] = (float)cos(r * 31 + k * k) * (float)(r + 1);
    }
    for (int renormalize = 0; renormalize < 2; renormalize++) {
        double expected[DIM], norm = 0, text_norm = 0;
        for (int k = 0; k < DIM; k++) text_norm += (double)text[k] * text[k];
        for (int k = 0; k < DIM; k++) expected[k] = 0.75 * text[k] / sqrt(text_norm);
        for (int r = 0; r < ROWS; r++) {
            double square = 0;
            for (int k = 0; k < DIM; k++) square += (double)rows[r][k] * rows[r][k];
            for (int k = 0; k < DIM; k++) expected[k] += 0.25 * rows[r][k] / sqrt(square) / ROWS;
        }
        for (int k = 0; k < DIM; k++) norm += expected[k] * expected[k];
        assert_ok(vb_repe_blend(text, pointers, ROWS, DIM, &(vb_blend){0.25, renormalize, false}, out, &err));
        for (int k = 0; k < DIM; k++) assert_true(fabs(out[k] - expected[k] / (renormalize ? sqrt(norm) : 1)) < 1e-7);
    }
    const vb_blend blend = {0.25, false, false}, none = {0, false, false};
    float alone[DIM];
    assert_ok(vb_repe_blend(text, NULL, 0, DIM, &blend, alone, &err));
    assert_ok(vb_repe_blend(text, pointers, ROWS, DIM, &none, out, &err));
    assert_memory_equal(alone, out, sizeof out);
    memset(rows[2], 0, sizeof rows[2]);
    assert_fails(vb_repe_blend(text, pointers, ROWS, DIM, &blend, out, &err), VB_EDATA, "caption embedding 2");
    memset(text, 0, sizeof text);
    assert_fails(vb_repe_blend(text, pointers, 2, DIM, &blend, out, &err), VB_EDATA, "class text");
}

/* Where a text's length counts, its blend has that length in place of the unit text's: exactly t without captions, |t| times the
 * blend of directions with them. */
static void a_blend_keeps_the_length_of_its_text(void **state) {
    (void)state;
    vb_error err = {0};
    enum { DIM = 11 };
    float text[DIM], row[DIM], unit[DIM], out[DIM];
    const float *rows[] = {row};
    double square = 0;
    for (int k = 0; k < DIM; k++) {
        text[k] = (float)sin(3 * k + 1) * 7;
        row[k] = (float)cos(k * k);
        square += (double)text[k] * text[k];
    }
    for (int renormalize = 0; renormalize < 2; renormalize++) {
        vb_blend how = {0.3, renormalize, true};
        assert_ok(vb_repe_blend(text, NULL, 0, DIM, &how, out, &err));
        assert_memory_equal(out, text, sizeof out);
        how.lambda = 0;
        assert_ok(vb_repe_blend(text, rows, 1, DIM, &how, out, &err));
        assert_memory_equal(out, text, sizeof out);
        how.lambda = 0.3;
        assert_ok(vb_repe_blend(text, rows, 1, DIM, &how, out, &err));
        how.keep_length = false;
        assert_ok(vb_repe_blend(text, rows, 1, DIM, &how, unit, &err));
        for (int k = 0; k < DIM; k++) assert_true(fabs(out[k] - sqrt(square) * unit[k]) < 1e-5);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_filter_is_the_official_one),
                                       cmocka_unit_test(the_blend_is_the_formula),
                                       cmocka_unit_test(a_blend_keeps_the_length_of_its_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
