/* Tests of depthwise convolution: against its definition, bit for bit at every level and thread count, in memory that is exactly
 * as large. */
#include <math.h>
#include <stdbool.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"
#include "kernels/matrix/depthwise.h"
#include "kernels/matrix/layers_internal.h"

typedef struct shape {
    int images, channels, height, width, times, kernel, stride, padding;
} shape;

/* Channels and widths that are no multiple of a register or a block of pixels; a filter wider than the picture; gaps between
 * windows; several outputs a channel. */
static const shape shapes[] = {{2, 16, 9, 11, 1, 7, 1, 3},  {1, 40, 8, 8, 1, 3, 1, 1},   {3, 5, 4, 3, 1, 7, 1, 3},
                               {2, 24, 9, 10, 2, 7, 2, 3},  {1, 33, 6, 29, 1, 3, 2, 1},  {2, 17, 5, 5, 3, 3, 2, 1},
                               {1, 3, 7, 7, 1, 1, 1, 0},    {2, 50, 1, 1, 1, 7, 1, 3},   {1, 16, 10, 9, 1, 2, 3, 0},
                               {1, 1, 15, 15, 2, 15, 1, 7}, {2, 200, 5, 40, 1, 3, 1, 1}, {1, 150, 3, 300, 1, 7, 1, 3}};

static uint32_t noise_state = 7;

static float *noise(int64_t count) {
    vb_error err = {0};
    float *x = vb_array((size_t)count, sizeof *x, "noise", &err);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++) x[i] = random_short_float(&noise_state) + 0x1p-20f * (float)(i % 7);
    return x;
}

/* One element before the epilogue: the chain that depthwise.h promises. */
static float chain(const shape *s, const float *in, const float *weight, int image, int y, int x, int o) {
    float sum = 0;
    for (int r = 0; r < s->kernel; r++)
        for (int c = 0; c < s->kernel; c++) {
            const int i = y * s->stride - s->padding + r, j = x * s->stride - s->padding + c;
            const bool inside = i >= 0 && i < s->height && j >= 0 && j < s->width;
            const float value = inside ? in[(((int64_t)image * s->height + i) * s->width + j) * s->channels + o / s->times] : 0;
            sum = fmaf(value, weight[(o * s->kernel + r) * s->kernel + c], sum);
        }
    return sum;
}

static void it_is_its_definition_at_every_level(void **state) {
    (void)state;
    vb_error err = {0};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const shape *s = &shapes[k];
        const int columns = s->channels * s->times;
        float *in = noise((int64_t)s->images * s->height * s->width * s->channels), *bias = noise(columns),
              *weight = noise((int64_t)columns * s->kernel * s->kernel);
        if (k == 1) in[0] = NAN, in[40] = INFINITY, in[81] = 1e-44f;
        const vb_depthwise conv = {.input = in,
                                   .channels = s->channels,
                                   .height = s->height,
                                   .width = s->width,
                                   .times = s->times,
                                   .kernel = s->kernel,
                                   .stride = s->stride,
                                   .padding = s->padding,
                                   .weight = weight};
        const int oh = vb_depthwise_out_height(&conv), ow = vb_depthwise_out_width(&conv);
        const int64_t count = (int64_t)s->images * oh * ow * columns;
        float *residual = noise(count), *expected = noise(count), *out = noise(count);
        vb_isa_limit(VB_SCALAR);
        for (int64_t at = 0; at < count; at++) {
            const int o = (int)(at % columns), x = (int)(at / columns % ow), y = (int)(at / columns / ow % oh);
            expected[at] = chain(s, in, weight, (int)(at / columns / ow / oh), y, x, o) + bias[o] + residual[at];
        }
        vb_layers_activate(count, expected, VB_GELU, 1);
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 3; threads++) {
                const bool in_place = threads == 2;
                const vb_epilogue epilogue = {.bias = bias,
                                              .residual = in_place ? out : residual,
                                              .ld_residual = columns,
                                              .last = VB_GELU};
                vb_isa_limit((vb_isa)level);
                memcpy(out, residual, (size_t)count * sizeof *out);
                assert_ok(vb_depthwise_run(&conv, s->images, out, &epilogue, threads, &err));
                for (int64_t at = 0; at < count; at++)
                    if (memcmp(out + at, expected + at, sizeof *out) && !(isnan(out[at]) && isnan(expected[at])))
                        fail_msg("shape %zu, %s, %d threads: element %lld is %a instead of %a", k, vb_isa_name((vb_isa)level),
                                 threads, (long long)at, (double)out[at], (double)expected[at]);
            }
        vb_free(in), vb_free(bias), vb_free(weight), vb_free(residual), vb_free(expected), vb_free(out);
    }
    vb_isa_limit(VB_VNNI);
}

static void it_says_when_memory_lacks(void **state) {
    (void)state;
    vb_error err = {0};
    float in[4] = {1, 2, 3, 4}, weight[1] = {2}, out[4];
    const vb_depthwise conv = {
        .input = in, .channels = 1, .height = 2, .width = 2, .times = 1, .kernel = 1, .stride = 1, .weight = weight};
    vb_fault_setup("alloc:1:ENOMEM", 0);
    assert_int_equal(vb_depthwise_run(&conv, 1, out, NULL, 1, &err), -1);
    vb_fault_setup(NULL, 0);
    assert_int_equal(err.code, VB_EMEMORY);
    assert_ok(vb_depthwise_run(&conv, 1, out, NULL, 1, &err));
    assert_true(out[3] == 8.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_its_definition_at_every_level),
                                       cmocka_unit_test(it_says_when_memory_lacks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
