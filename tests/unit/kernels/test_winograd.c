/* Tests of the convolution through Winograd's transforms: its definition against a plain convolution, the fast one against the
 * definition bit for bit, and its error beside that of a plain chain. */
#include <math.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/base/memory.h"
#include "kernels/matrix/conv_run.h"
#include "kernels/matrix/gemm_reference.h"
#include "kernels/matrix/winograd_kernel.h"
#include "kernels/matrix/winograd_reference.h"

/* One tile, one channel, whole numbers: the sixteen results are those of the plain sum. */
static void transforms_give_the_convolution(void **state) {
    (void)state;
    uint64_t noise = 1;
    for (int round = 0; round < 200; round++) {
        float pixels[36], taps[9], values[36], factors[36], sums[36], results[16];
        for (int i = 0; i < 36; i++) pixels[i] = (float)random_below(&noise, 2001) - 1000;
        for (int i = 0; i < 9; i++) taps[i] = (float)random_below(&noise, 2001) - 1000;
        vb_winograd_reference_input(pixels, values);
        vb_winograd_reference_filter(taps, factors);
        for (int p = 0; p < 36; p++) sums[p] = values[p] * factors[p];
        vb_winograd_reference_output(sums, results);
        double worst = 0, largest = 0;
        for (int r = 0; r < 16; r++) {
            double sum = 0, size = 0;
            for (int t = 0; t < 9; t++) {
                const double term = (double)pixels[(r / 4 + t / 3) * 6 + r % 4 + t % 3] * (double)taps[t];
                sum += term, size += fabs(term);
            }
            worst = fmax(worst, fabs((double)results[r] - sum)), largest = fmax(largest, size);
        }
        assert_true(worst <= 2e-6 * largest);
    }
}

/* What the lines are, in exact fractions: with B, G and A as stated, a filter of one tap moves the picture. Inputs are chosen so
 * that every step of the pixels' and the results' lines is exact. */
static void lines_of_pixels_and_results_are_exact(void **state) {
    (void)state;
    static const double b[6][6] = {{81. / 64, 0, -45. / 16, 0, 1, 0},      {0, -27. / 16, -9. / 4, 3. / 4, 1, 0},
                                   {0, 27. / 16, -9. / 4, -3. / 4, 1, 0},  {0, -27. / 32, -9. / 16, 3. / 2, 1, 0},
                                   {0, 27. / 32, -9. / 16, -3. / 2, 1, 0}, {0, 81. / 64, 0, -45. / 16, 0, 1}};
    static const double a[4][6] = {{1, 1, 1, 1, 1, 0},
                                   {0, 3. / 4, -3. / 4, 3. / 2, -3. / 2, 0},
                                   {0, 9. / 16, 9. / 16, 9. / 4, 9. / 4, 0},
                                   {0, 27. / 64, -27. / 64, 27. / 8, -27. / 8, 1}};
    uint64_t noise = 7;
    float in[36], values[36], results[16];
    for (int i = 0; i < 36; i++) in[i] = (float)random_below(&noise, 201) - 100;
    vb_winograd_reference_input(in, values);
    vb_winograd_reference_output(in, results);
    for (int i = 0; i < 36; i++) {
        double value = 0, result = 0;
        for (int k = 0; k < 36; k++) {
            value += b[i / 6][k / 6] * (double)in[k] * b[i % 6][k % 6];
            if (i < 16) result += a[i / 4][k / 6] * (double)in[k] * a[i % 4][k % 6];
        }
        assert_true((double)values[i] == value);
        if (i < 16) assert_true((double)results[i] == result);
    }
}

typedef struct layer {
    int channels, height, width, padding, out;
} layer;

enum { IMAGES = 3, MOST_IN = IMAGES * 15 * 15 * 64, MOST_WEIGHTS = 300 * 70 * 9, MOST_OUT = IMAGES * 17 * 17 * 80 };

/* Sizes of one pixel, of tiles that are whole or not, of several blocks of channels, of strips that are not full. */
static const layer layers[] = {{1, 1, 1, 1, 1},   {3, 4, 4, 1, 5},    {16, 5, 9, 1, 32},  {8, 15, 15, 2, 33},
                               {37, 7, 3, 1, 17}, {129, 6, 6, 1, 40}, {300, 3, 7, 1, 70}, {64, 15, 13, 0, 80}};

static vb_conv conv_of(const layer *l, const float *in) {
    return vb_conv_over_nhwc(in, l->channels, l->height, l->width, 3, 1, l->padding);
}

static void levels_and_threads_give_the_definitions_bits(void **state) {
    (void)state;
    vb_error err = {0};
    float *in = vb_array(MOST_IN, sizeof *in, "in", &err), *filter = vb_array(MOST_WEIGHTS, sizeof *in, "filter", &err),
          *out = vb_array(MOST_OUT, sizeof *in, "out", &err), *expected = vb_array(MOST_OUT, sizeof *in, "expected", &err),
          *beside = vb_array(MOST_OUT, sizeof *in, "residual", &err), bias[80], scale[80];
    uint64_t noise = 5;
    for (int i = 0; i < MOST_IN; i++) in[i] = random_unit_float(&noise);
    for (int i = 0; i < MOST_WEIGHTS; i++) filter[i] = random_unit_float(&noise);
    for (int i = 0; i < MOST_OUT; i++) beside[i] = random_unit_float(&noise);
    for (int i = 0; i < 80; i++) bias[i] = random_unit_float(&noise), scale[i] = random_unit_float(&noise);
    for (size_t k = 0; k < sizeof layers / sizeof *layers; k++) {
        const layer *l = &layers[k];
        const vb_conv conv = conv_of(l, in);
        const vb_matrix matrix = {filter, VB_F32, l->out, l->channels * 9, l->channels * 9, 1};
        const vb_epilogue epilogue = {.scale = scale, .bias = bias, .residual = beside, .ld_residual = l->out, .last = VB_RELU};
        const int64_t image = (int64_t)vb_conv_out_height(&conv) * vb_conv_out_width(&conv) * l->out, count = IMAGES * image;
        assert_true(count <= MOST_OUT);
        assert_ok(vb_winograd_reference(&conv, IMAGES, &matrix, expected, &epilogue, &err));
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                vb_isa_limit((vb_isa)level);
                for (int64_t i = 0; i < count; i++) out[i] = NAN;
                assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, &epilogue, threads, &err));
                for (int64_t i = 0; i < count; i++)
                    if (memcmp(&out[i], &expected[i], sizeof *out))
                        fail_msg("layer %zu, %s, %d threads: entry %lld is %a instead of %a", k, vb_isa_name((vb_isa)level),
                                 threads, (long long)i, (double)out[i], (double)expected[i]);
            }
        /* The residual may be the result's place; the last image by itself has the same bits. */
        vb_conv alone = conv;
        alone.input += 2 * conv.image_stride;
        memcpy(out, beside, (size_t)count * sizeof *out);
        const vb_epilogue inside = {.scale = scale, .bias = bias, .residual = out, .ld_residual = l->out, .last = VB_RELU},
                          last = {.scale = scale,
                                  .bias = bias,
                                  .residual = beside + 2 * image,
                                  .ld_residual = l->out,
                                  .last = VB_RELU};
        assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, &inside, 1, &err));
        assert_memory_equal(out, expected, (size_t)count * sizeof *out);
        assert_ok(vb_conv_run(&alone, 1, &matrix, out, &last, 1, &err));
        assert_memory_equal(out, expected + 2 * image, (size_t)image * sizeof *out);
    }
    vb_isa_limit(VB_VNNI);
    vb_free(in), vb_free(filter), vb_free(out), vb_free(expected), vb_free(beside);
}

/* Filters that were transformed before, by one thread or three, give the same bits; those of another level, wrong ones here, are
 * not looked at. */
static void kept_filters_give_the_same_bits(void **state) {
    (void)state;
    vb_error err = {0};
    float *in = vb_array(MOST_IN, sizeof *in, "in", &err), *filter = vb_array(MOST_WEIGHTS, sizeof *in, "filter", &err),
          *out = vb_array(MOST_OUT, sizeof *in, "out", &err), *expected = vb_array(MOST_OUT, sizeof *in, "expected", &err);
    uint64_t noise = 7;
    for (int i = 0; i < MOST_IN; i++) in[i] = random_unit_float(&noise);
    for (int i = 0; i < MOST_WEIGHTS; i++) filter[i] = random_unit_float(&noise);
    for (size_t k = 0; k < sizeof layers / sizeof *layers; k++) {
        const layer *l = &layers[k];
        vb_conv conv = conv_of(l, in);
        const vb_matrix matrix = {filter, VB_F32, l->out, l->channels * 9, l->channels * 9, 1};
        const size_t bytes = sizeof *out * (size_t)(IMAGES * vb_conv_out_height(&conv) * vb_conv_out_width(&conv) * l->out);
        assert_ok(vb_winograd_reference(&conv, IMAGES, &matrix, expected, NULL, &err));
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads += 2) {
                vb_isa_limit((vb_isa)level);
                float *floats = vb_array(vb_winograd_kept_floats(&matrix), sizeof *floats, "kept", &err);
                assert_non_null(floats);
                vb_kept kept = {floats, vb_gemm_kept_columns()};
                assert_ok(vb_winograd_keep(&matrix, floats, threads, &err));
                conv.kept = &kept;
                memset(out, 0xff, bytes);
                assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, NULL, threads, &err));
                if (memcmp(out, expected, bytes))
                    fail_msg("layer %zu, %s, %d threads: other bits than the definition's", k, vb_isa_name((vb_isa)level),
                             threads);
                memset(floats, 0, vb_winograd_kept_floats(&matrix) * sizeof *out);
                assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, NULL, threads, &err));
                assert_memory_not_equal(out, expected, bytes); /* they were in use, all there are */
                kept.columns *= 2;
                assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, NULL, threads, &err));
                assert_memory_equal(out, expected, bytes);
                vb_free(floats);
                conv.kept = NULL;
            }
    }
    const vb_matrix some = {filter, VB_F32, 16, 90, 90, 1};
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_fails(vb_winograd_keep(&some, out, 1, &err), VB_EMEMORY, "filters");
    vb_fault_setup(NULL, 0);
    vb_isa_limit(VB_VNNI);
    vb_free(in), vb_free(filter), vb_free(out), vb_free(expected);
}

/* Batches of which a task takes a part, and filters in 16 bits that lie the other way round. */
static void many_tiles_give_the_definitions_bits(void **state) {
    (void)state;
    vb_error err = {0};
    enum { SIDE = 33, C = 20, OUT = 24, MANY = 4, PIXELS = MANY * SIDE * SIDE };
    float *in = vb_array(PIXELS * C, sizeof *in, "in", &err), *out = vb_array(PIXELS * OUT, sizeof *in, "out", &err),
          *expected = vb_array(PIXELS * OUT, sizeof *in, "expected", &err);
    uint16_t *filter = vb_array(OUT * C * 9, sizeof *filter, "filter", &err);
    uint64_t noise = 3;
    for (int i = 0; i < PIXELS * C; i++) in[i] = random_unit_float(&noise);
    for (int i = 0; i < OUT * C * 9; i++)
        filter[i] = (uint16_t)(0x3f00 + random_below(&noise, 256) + 0x8000 * random_below(&noise, 2));
    const vb_conv conv = vb_conv_over_nhwc(in, C, SIDE, SIDE, 3, 1, 1);
    const vb_matrix matrix = {filter, VB_BF16, OUT, C * 9, 1, OUT};
    assert_ok(vb_winograd_reference(&conv, MANY, &matrix, expected, NULL, &err));
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
        for (int threads = 1; threads <= 2; threads++) {
            vb_isa_limit((vb_isa)level);
            memset(out, 0, PIXELS * OUT * sizeof *out);
            assert_ok(vb_conv_run(&conv, MANY, &matrix, out, NULL, threads, &err));
            assert_memory_equal(out, expected, PIXELS * OUT * sizeof *out);
        }
    vb_isa_limit(VB_VNNI);
    vb_free(in), vb_free(filter), vb_free(out), vb_free(expected);
}

/* Activations as behind a ReLU, filters of the size of trained ones: the error against fp64, as a share of the results' root mean
 * square, is less than three times that of a plain chain of multiply-adds, and never 1e-5. */
static void errors_are_near_those_of_a_plain_chain(void **state) {
    (void)state;
    vb_error err = {0};
    enum { SIDE = 14, C = 256, OUT = 16, PIXELS = SIDE * SIDE, DEPTH = C * 9 };
    float *in = vb_array(PIXELS * C, sizeof *in, "in", &err), *filter = vb_array(OUT * DEPTH, sizeof *in, "filter", &err),
          *row = vb_array(DEPTH, sizeof *in, "row", &err);
    float out[PIXELS * OUT], chain[PIXELS * OUT];
    uint64_t noise = 11;
    for (int i = 0; i < PIXELS * C; i++) in[i] = fmaxf(0, random_unit_float(&noise) + random_unit_float(&noise));
    for (int i = 0; i < OUT * DEPTH; i++) filter[i] = (random_unit_float(&noise) + random_unit_float(&noise)) / 48;
    const vb_conv conv = vb_conv_over_nhwc(in, C, SIDE, SIDE, 3, 1, 1);
    const vb_matrix matrix = {filter, VB_F32, OUT, DEPTH, DEPTH, 1};
    const vb_gemm_a rows = {.source = vb_conv_row, .context = &conv};
    assert_ok(vb_conv_run(&conv, 1, &matrix, out, NULL, 1, &err));
    assert_ok(vb_gemm_reference(PIXELS, &rows, &matrix, chain, OUT, NULL, &err));
    double squares = 0, ours = 0, theirs = 0, worst = 0;
    for (int i = 0; i < PIXELS; i++) {
        vb_conv_row(&conv, i, 0, DEPTH, row);
        for (int j = 0; j < OUT; j++) {
            double sum = 0;
            for (int k = 0; k < DEPTH; k++) sum += (double)row[k] * (double)filter[j * DEPTH + k];
            const double error = (double)out[i * OUT + j] - sum, of_chain = (double)chain[i * OUT + j] - sum;
            squares += sum * sum, ours += error * error, theirs += of_chain * of_chain, worst = fmax(worst, fabs(error));
        }
    }
    const double size = sqrt(squares / (PIXELS * OUT));
    print_message("relative error %.2e (largest %.2e), of a plain chain %.2e\n", sqrt(ours / squares), worst / size,
                  sqrt(theirs / squares));
    assert_true(theirs > 0 && sqrt(ours / theirs) < 3 && worst < 1e-5 * size);
    vb_free(in), vb_free(filter), vb_free(row);
}

/* What is not 3 x 3 with stride 1 over activations stays one chain. */
static void other_layers_do_not_fit(void **state) {
    (void)state;
    assert_true(vb_winograd_fits(3, 1, false));
    assert_false(vb_winograd_fits(3, 1, true) || vb_winograd_fits(3, 2, false));
    assert_false(vb_winograd_fits(1, 1, false) || vb_winograd_fits(2, 1, false) || vb_winograd_fits(5, 1, false));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(transforms_give_the_convolution),
                                       cmocka_unit_test(lines_of_pixels_and_results_are_exact),
                                       cmocka_unit_test(levels_and_threads_give_the_definitions_bits),
                                       cmocka_unit_test(kept_filters_give_the_same_bits),
                                       cmocka_unit_test(many_tiles_give_the_definitions_bits),
                                       cmocka_unit_test(errors_are_near_those_of_a_plain_chain),
                                       cmocka_unit_test(other_layers_do_not_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
