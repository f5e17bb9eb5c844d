/* Tests of the row-wise layers: against double precision over the whole range, and bit for bit between levels and threads. */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/isa_internal.h"
#include "kernels/matrix/layers_internal.h"
#include "kernels/matrix/layers_kernel.h"

static uint32_t noise_state = 1;
static float noise_float(void) { return random_short_float(&noise_state); }

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void assert_same_bits(const float *x, const float *y, int64_t n, const char *what, int level, int threads) {
    for (int64_t i = 0; i < n; i++)
        if (memcmp(x + i, y + i, sizeof *x) && !(isnan(x[i]) && isnan(y[i])))
            fail_msg("%s, %s, %d threads: entry %lld is %a instead of %a", what, vb_isa_name((vb_isa)level), threads,
                     (long long)i, (double)x[i], (double)y[i]);
}

/* ---- functions of one number ---------------------------------------------------------------------------------------- */

enum { EXP = VB_SIGMOID + 1, STEP = 1009, COUNT = 0xffffffffu / STEP + 1 };

static double truth(int function, double x) {
    switch (function) {
    case VB_QUICK_GELU: return x / (1 + exp(-1.702 * x));
    case VB_SILU: return x / (1 + exp(-x));
    case VB_GELU: return 0.5 * x * erfc(-x * M_SQRT1_2);
    case VB_GELU_TANH: return x / (1 + exp(-2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case VB_RELU: return isnan(x) ? x : x > 0 ? x : 0;
    case VB_SIGMOID: return 1 / (1 + exp(-x));
    default: return exp(x);
    }
}

static double bound(int function) { return function == VB_GELU ? 4e-7 : 3e-7; }

static void apply(int function, int64_t count, float *x, int threads) {
    if (function == EXP) vb_layers_exp(count, x, threads);
    else vb_layers_activate(count, x, (vb_activation)function, threads);
}

/* Every 1009th float there is: both signs, subnormals, infinities, NaNs. */
static void functions_are_accurate_over_all_floats(void **state) {
    (void)state;
    vb_error err = {0};
    float *x = vb_array(COUNT, sizeof *x, "arguments", &err), *y = vb_array(COUNT, sizeof *y, "results", &err);
    assert_true(x && y);
    for (int64_t i = 0; i < COUNT; i++) x[i] = from_bits((uint32_t)i * STEP);
    for (int function = VB_QUICK_GELU; function <= EXP; function++) {
        memcpy(y, x, COUNT * sizeof *y);
        apply(function, COUNT, y, 1);
        double worst = 0;
        for (int64_t i = 0; i < COUNT; i++) {
            double t = truth(function, (double)x[i]);
            if (isnan(x[i]) || (isinf(x[i]) && x[i] < 0 && function != VB_RELU && function != EXP)) {
                assert_true(isnan(y[i]));
            } else if (fabs(t) > (double)FLT_MAX) {
                assert_true(y[i] == (t > 0 ? INFINITY : -INFINITY) || (fabs(t) < (double)FLT_MAX * (1 + 3e-7) && !isnan(y[i])));
            } else if (fabs(t) < (double)FLT_MIN) {
                if (!(fabs((double)y[i] - t) <= 0x1p-148))
                    fail_msg("function %d at %a: %a, truth %a", function, (double)x[i], (double)y[i], t);
            } else {
                double error = fabs((double)y[i] / t - 1);
                if (!(error <= bound(function)))
                    fail_msg("function %d at %a: %a, truth %a, error %g", function, (double)x[i], (double)y[i], t, error);
                if (error > worst) worst = error;
            }
        }
        print_message("function %d: relative error at most %.2g\n", function, worst);
    }
    vb_free(x), vb_free(y);
}

/* The densest part of the range, and the places where results leave the normal numbers. */
static void functions_are_accurate_where_it_matters(void **state) {
    (void)state;
    enum { N = 200000 };
    vb_error err = {0};
    float *x = vb_array(N, sizeof *x, "arguments", &err), *y = vb_array(N, sizeof *y, "results", &err);
    assert_true(x && y);
    static const float ranges[][2] = {{-8, 8},    {-1, 1},  {-15, -12},  {-10.5, -8.5},
                                      {-54, -50}, {86, 89}, {-104, -87}, {-115, -102}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
        for (int function = VB_QUICK_GELU; function <= EXP; function++) {
            for (int i = 0; i < N; i++) y[i] = x[i] = ranges[r][0] + (ranges[r][1] - ranges[r][0]) * (float)i / N;
            apply(function, N, y, 1);
            for (int i = 0; i < N; i++) {
                double t = truth(function, (double)x[i]), error = fabs((double)y[i] - t);
                if (t > (double)FLT_MAX) assert_true(isinf(y[i]) || t < (double)FLT_MAX * (1 + 3e-7));
                else if (!(error <= bound(function) * fabs(t) || error <= 0x1p-148))
                    fail_msg("function %d at %a: %a, truth %a", function, (double)x[i], (double)y[i], t);
            }
        }
    vb_free(x), vb_free(y);
}

static void functions_have_the_same_bits_at_every_level(void **state) {
    (void)state;
    enum { N = 3 * 16384 + 5 };
    vb_error err = {0};
    float *x = vb_array(N, sizeof *x, "arguments", &err), *y = vb_array(N, sizeof *y, "results", &err);
    float *expected = vb_array(N, sizeof *expected, "results", &err);
    assert_true(x && y && expected);
    for (int i = 0; i < N; i++) x[i] = i % 2 ? from_bits((uint32_t)i * 87671u) : noise_float() * 8;
    for (int function = VB_LINEAR; function <= EXP; function++) {
        vb_isa_limit(VB_SCALAR);
        memcpy(expected, x, N * sizeof *x);
        apply(function, N, expected, 1);
        for (int level = VB_AVX2; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                vb_isa_limit((vb_isa)level);
                memcpy(y, x, N * sizeof *x);
                apply(function, N, y, threads);
                assert_same_bits(y, expected, N, "function", level, threads);
            }
    }
    vb_isa_limit(VB_VNNI);
    vb_free(x), vb_free(y), vb_free(expected);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static void layer_norm_follows_its_definition(void **state) {
    (void)state;
    enum { MOST = 1100, ROWS = 7 };
    static const int widths[] = {1, 2, 15, 16, 17, 64, 100, 768, 1023};
    vb_error err = {0};
    float *x = vb_array(ROWS * MOST, 4, "x", &err), *y = vb_array(ROWS * MOST, 4, "y", &err);
    float *first = vb_array(ROWS * MOST, 4, "y", &err);
    float weight[MOST], bias[MOST];
    assert_true(x && y && first);
    for (int i = 0; i < MOST; i++) weight[i] = noise_float(), bias[i] = noise_float();
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        int width = widths[w], ld = width + (int)w % 4;
        for (int i = 0; i < ROWS * ld; i++)
            x[i] = noise_float() + (i / ld == 3 ? 1000 : 0); /* a mean that dwarfs the deviation */
        for (int i = 0; i < width; i++) x[5 * ld + i] = 3;   /* no variance at all */
        for (int choice = 0; choice < 4; choice++) {
            const float *scale = choice & 1 ? weight : NULL, *shift = choice & 2 ? bias : NULL;
            for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
                for (int threads = 1; threads <= 3; threads++) {
                    vb_isa_limit((vb_isa)level);
                    memcpy(y, x, (size_t)(ROWS * ld) * 4);
                    int in_place = threads == 2;
                    vb_layers_norm(ROWS, width, in_place ? y : x, ld, scale, shift, 1e-5f, NULL, y, ld, threads);
                    if (level == VB_SCALAR && threads == 1) memcpy(first, y, (size_t)(ROWS * ld) * 4);
                    assert_same_bits(y, first, ROWS * ld, "LayerNorm", level, threads);
                }
            for (int i = 0; i < ROWS; i++) {
                double mean = 0, variance = 0;
                for (int j = 0; j < width; j++) mean += (double)x[i * ld + j];
                mean /= width;
                for (int j = 0; j < width; j++)
                    variance += ((double)x[i * ld + j] - mean) * ((double)x[i * ld + j] - mean) / width;
                for (int j = 0; j < width; j++) {
                    double t = ((double)x[i * ld + j] - mean) / sqrt(variance + (double)1e-5f);
                    if (scale) t *= (double)scale[j];
                    double size = fabs(t);
                    if (shift) t += (double)shift[j], size += fabs((double)shift[j]);
                    if (!(fabs((double)first[i * ld + j] - t) <= 2e-7 * size + 1e-12))
                        fail_msg("width %d, row %d, entry %d: %.9g instead of %.9g", width, i, j, (double)first[i * ld + j], t);
                }
                for (int j = width; j < ld; j++) assert_true(first[i * ld + j] == x[i * ld + j]);
            }
        }
    }
    float broken[20] = {1, 2, NAN, 4}, out[20];
    vb_layers_norm(1, 20, broken, 20, NULL, NULL, 1e-5f, NULL, out, 20, 1);
    for (int i = 0; i < 20; i++) assert_true(isnan(out[i]));
    vb_isa_limit(VB_VNNI);
    vb_free(x), vb_free(y), vb_free(first);
}

/* What is added last is added to the rounded norm. */
static void layer_norm_adds_its_residual(void **state) {
    (void)state;
    enum { ROWS = 3, WIDTH = 37, LD = 40 };
    float x[ROWS * LD], residual[ROWS * LD], plain[ROWS * LD], sum[ROWS * LD], weight[WIDTH], bias[WIDTH];
    for (int i = 0; i < ROWS * LD; i++) x[i] = noise_float(), residual[i] = noise_float();
    for (int i = 0; i < WIDTH; i++) weight[i] = noise_float(), bias[i] = noise_float();
    vb_layers_norm(ROWS, WIDTH, x, LD, weight, bias, 1e-6f, NULL, plain, LD, 1);
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
        for (int in_place = 0; in_place < 2; in_place++) {
            vb_isa_limit((vb_isa)level);
            memcpy(sum, x, sizeof sum);
            vb_layers_norm(ROWS, WIDTH, in_place ? sum : x, LD, weight, bias, 1e-6f, residual, sum, LD, 2);
            for (int i = 0; i < ROWS * LD; i++) assert_true(sum[i] == (i % LD < WIDTH ? plain[i] + residual[i] : x[i]));
        }
    vb_isa_limit(VB_VNNI);
}

/* Pairs as complex numbers times e^(i a), in double; rows without a position, columns behind the heads and gaps stay. */
static void rotations_follow_their_definition(void **state) {
    (void)state;
    static const int dims[] = {2, 8, 16, 24, 64, 88, 112};
    enum { PERIOD = 5, ITEMS = 2, ROWS = PERIOD * ITEMS, HEADS = 3, MOST = 112, WIDEST = HEADS * MOST + 5 };
    static float straight[PERIOD * MOST], crossed[PERIOD * MOST], x[ROWS * WIDEST], y[ROWS * WIDEST], first[ROWS * WIDEST];
    static double angles[PERIOD * MOST];
    for (size_t at = 0; at < sizeof dims / sizeof *dims; at++) {
        const int dim = dims[at], skipped = (int)at % 3, ld = HEADS * dim + 5;
        const vb_rotation rotation = {
            .straight = straight, .crossed = crossed, .period = PERIOD, .skipped = skipped, .head_dim = dim};
        for (int i = 0; i < (PERIOD - skipped) * dim; i += 2) {
            angles[i / 2] = (double)noise_float() * 3;
            straight[i] = straight[i + 1] = (float)cos(angles[i / 2]);
            crossed[i + 1] = (float)sin(angles[i / 2]);
            crossed[i] = -crossed[i + 1];
        }
        for (int i = 0; i < ROWS * ld; i++) x[i] = noise_float();
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                vb_isa_limit((vb_isa)level);
                memcpy(y, x, (size_t)(ROWS * ld) * 4);
                vb_layers_rotate(ROWS, HEADS, &rotation, y, ld, threads);
                if (level == VB_SCALAR && threads == 1) memcpy(first, y, (size_t)(ROWS * ld) * 4);
                assert_same_bits(y, first, ROWS * ld, "rotation", level, threads);
            }
        for (int row = 0; row < ROWS; row++)
            for (int j = 0; j < ld; j++) {
                const float *old = x + row * ld, found = first[row * ld + j];
                const int cell = row % PERIOD - skipped;
                if (cell < 0 || j >= HEADS * dim) {
                    assert_true(found == old[j]);
                    continue;
                }
                const double a = angles[(cell * dim + j % dim) / 2], real = (double)old[j & ~1], imaginary = (double)old[j | 1];
                const double t = j % 2 ? real * sin(a) + imaginary * cos(a) : real * cos(a) - imaginary * sin(a);
                if (!(fabs((double)found - t) <= 2e-7 * (fabs(real) + fabs(imaginary))))
                    fail_msg("heads of %d, row %d, entry %d: %.9g instead of %.9g", dim, row, j, (double)found, t);
            }
    }
    vb_isa_limit(VB_VNNI);
}

static void softmax_follows_its_definition(void **state) {
    (void)state;
    enum { ROWS = 5, MOST = 700 };
    static const int widths[] = {1, 3, 16, 17, 50, 77, 197, 577};
    static float x[ROWS * MOST], y[ROWS * MOST], first[ROWS * MOST];
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        int width = widths[w], ld = width + 2;
        for (int i = 0; i < ROWS * ld; i++) x[i] = noise_float() * 20;
        x[ld] = 3e38f; /* one overwhelming score */
        if (width > 2) x[2 * ld + 1] = -INFINITY;
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                vb_isa_limit((vb_isa)level);
                memcpy(y, x, sizeof y);
                vb_layers_softmax(ROWS, width, 0.125f, y, ld, threads);
                if (level == VB_SCALAR && threads == 1) memcpy(first, y, sizeof y);
                assert_same_bits(y, first, ROWS * ld, "softmax", level, threads);
            }
        for (int i = 0; i < ROWS; i++) {
            double most = -INFINITY, sum = 0;
            for (int j = 0; j < width; j++) most = fmax(most, (double)(x[i * ld + j] * 0.125f));
            for (int j = 0; j < width; j++) sum += exp((double)(x[i * ld + j] * 0.125f) - most);
            for (int j = 0; j < width; j++) {
                double t = exp((double)(x[i * ld + j] * 0.125f) - most) / sum;
                assert_true(fabs((double)first[i * ld + j] - t) <= 3e-6 * t + 1e-44);
            }
            for (int j = width; j < ld; j++) assert_true(first[i * ld + j] == x[i * ld + j]);
        }
    }
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int at = 0; at < 20; at += 19) {
            float broken[20] = {0};
            broken[at] = NAN;
            vb_layers_softmax(1, 20, 1, broken, 20, 1);
            for (int i = 0; i < 20; i++) assert_true(isnan(broken[i]));
        }
    }
    vb_isa_limit(VB_VNNI);
}

/* What the epilogue is said to be, an entry at a time. */
static float one_of_epilogue(const vb_epilogue *e, int64_t row, int64_t col, float x) {
    if (e->scale) x *= e->scale[col];
    if (e->bias) x += e->bias[col];
    vb_layers_kernel_scalar.activate(1, &x, e->activation);
    if (e->gate) x *= e->gate[row * e->ld_gate + col];
    if (e->residual) x += e->residual[row * e->ld_residual + col];
    vb_layers_kernel_scalar.activate(1, &x, e->last);
    return x;
}

enum { EPILOGUE_ROWS = 15, EPILOGUE_COLS = 100, EPILOGUE_LD = 121 };

/* Steps present: bits of `parts`; the residual may be the result itself, and nothing beside the result is written. */
static void check_epilogue(int m, int n, int parts, vb_activation activation, int level) {
    enum { I = 2, J = 3, ROWS = EPILOGUE_ROWS + I, LD = EPILOGUE_LD };
    static float sums[EPILOGUE_ROWS * LD], scale[LD], bias[LD], gate[ROWS * LD], residual[ROWS * LD], c[ROWS * LD],
        old[ROWS * LD];
    for (int i = 0; i < EPILOGUE_ROWS * LD; i++) sums[i] = 8 * noise_float();
    for (int i = 0; i < LD; i++) scale[i] = noise_float(), bias[i] = noise_float();
    for (int i = 0; i < ROWS * LD; i++) gate[i] = noise_float(), residual[i] = noise_float(), old[i] = c[i] = noise_float();
    const bool itself = parts & 16;
    const vb_epilogue e = {.scale = parts & 1 ? scale : NULL,
                           .bias = parts & 2 ? bias : NULL,
                           .activation = activation,
                           .gate = parts & 4 ? gate : NULL,
                           .ld_gate = LD,
                           .residual = itself    ? c :
                                       parts & 8 ? residual :
                                                   NULL,
                           .ld_residual = LD,
                           .last = parts & 32 ? activation : VB_LINEAR};
    vb_layers_kernel_get()->epilogue(m, n, sums, LD, &e, I, J, c + I * LD + J, LD);
    vb_epilogue before = e;
    if (itself) before.residual = old;
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < LD; col++) {
            const bool inside = row >= I && row < I + m && col >= J && col < J + n;
            float expected = old[row * LD + col];
            if (inside) expected = one_of_epilogue(&before, row, col, sums[(row - I) * LD + col - J]);
            assert_same_bits(&c[row * LD + col], &expected, 1, "epilogue", level, 1);
        }
}

static void epilogues_follow_their_definition_at_every_level(void **state) {
    (void)state;
    static const int heights[] = {1, 2, 3, 5, 13, 14, 15}, widths[] = {1, 15, 16, 17, 31, 32, 33, 48, 64, 96, 100};
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        int turn = 0;
        for (size_t a = 0; a < sizeof heights / sizeof *heights; a++)
            for (size_t b = 0; b < sizeof widths / sizeof *widths; b++)
                for (int parts = 0; parts < 64; parts++, turn++)
                    check_epilogue(heights[a], widths[b], parts, (vb_activation)(turn % (VB_SIGMOID + 1)), level);
    }
    vb_isa_limit(VB_VNNI);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_are_accurate_over_all_floats),
                                       cmocka_unit_test(functions_are_accurate_where_it_matters),
                                       cmocka_unit_test(functions_have_the_same_bits_at_every_level),
                                       cmocka_unit_test(layer_norm_follows_its_definition),
                                       cmocka_unit_test(layer_norm_adds_its_residual),
                                       cmocka_unit_test(rotations_follow_their_definition),
                                       cmocka_unit_test(softmax_follows_its_definition),
                                       cmocka_unit_test(epilogues_follow_their_definition_at_every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
