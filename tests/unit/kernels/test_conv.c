/* Tests of the convolution's row source and of average pooling against their definitions, exactly: integers in floats. */
#include <math.h>
#include <stdbool.h>

#include "tests/unit/random.h"
#include "tests/unit/vb_test.h"
#include "kernels/base/isa_internal.h"
#include "kernels/matrix/conv_run.h"
#include "kernels/matrix/gemm_reference.h"

static float pattern(int64_t i) { return (float)(i * 7919 % 1009 - 500); }

static float pixel(const float *in, bool nchw, int channels, int height, int width, int image, int c, int y, int x) {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return nchw ? in[((image * channels + c) * height + y) * width + x] : in[((image * height + y) * width + x) * channels + c];
}

/* Whole rows, and the same rows asked for in pieces that begin and end anywhere. */
static void rows_are_im2col(void **state) {
    (void)state;
    static const struct {
        int channels, height, width, kernel, stride, padding;
    } cases[] = {{3, 8, 8, 3, 2, 1}, {5, 6, 9, 3, 1, 1}, {7, 4, 4, 1, 1, 0}, {4, 7, 5, 2, 2, 0},     {3, 8, 12, 4, 4, 0},
                 {2, 9, 9, 5, 2, 2}, {1, 1, 1, 3, 1, 1}, {3, 6, 6, 2, 1, 1}, {2, 16, 16, 16, 16, 0}, {3, 4, 4, 1, 2, 0}};
    float in[2 * 7 * 256], whole[600], part[600];
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) in[i] = pattern((int64_t)i);
    for (size_t k = 0; k < 2 * sizeof cases / sizeof *cases; k++) {
        const int C = cases[k / 2].channels, H = cases[k / 2].height, W = cases[k / 2].width, K = cases[k / 2].kernel;
        const int S = cases[k / 2].stride, P = cases[k / 2].padding;
        const bool nchw = k % 2;
        const vb_conv conv = nchw ? vb_conv_over_nchw(in, C, H, W, K, S, P) : vb_conv_over_nhwc(in, C, H, W, K, S, P);
        const int oh = vb_conv_out_height(&conv), ow = vb_conv_out_width(&conv), cols = C * K * K;
        assert_int_equal(oh, (H + 2 * P - K) / S + 1);
        assert_int_equal(ow, (W + 2 * P - K) / S + 1);
        for (int row = 0; row < 2 * oh * ow; row++) {
            whole[cols] = 12345;
            vb_conv_row(&conv, row, 0, cols, whole);
            assert_true(whole[cols] == 12345);
            for (int j = 0; j < cols; j++) {
                int image = row / (oh * ow), y = row / ow % oh * S - P + j / K % K, x = row % ow * S - P + j % K;
                assert_true(whole[j] == pixel(in, nchw, C, H, W, image, j / (K * K), y, x));
            }
            for (int size = 1; size < cols; size += 1 + size / 2) {
                for (int first = 0; first < cols; first += size) {
                    int count = cols - first < size ? cols - first : size;
                    part[count] = 12345;
                    vb_conv_row(&conv, row, first, count, part);
                    assert_memory_equal(part, whole + first, (size_t)count * sizeof *part);
                    assert_true(part[count] == 12345);
                }
            }
        }
    }
}

static void convolution_is_its_definition(void **state) {
    (void)state;
    vb_error err = {0};
    enum { C = 6, H = 5, W = 4, OUT = 7 };
    static const int kernels[] = {1, 3}, strides[] = {1, 2}; /* 3 x 3 with stride 1: test_winograd.c */
    float in[3 * C * H * W], weight[OUT * C * 9], scale[OUT], out[3 * H * W * OUT];
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) in[i] = (float)((int)(i * 31 % 17) - 8);
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) weight[i] = (float)((int)(i * 13 % 11) - 5);
    for (int j = 0; j < OUT; j++) scale[j] = (float)(1 << j % 3);
    for (int which = 0; which < 2; which++)
        for (int threads = 1; threads <= 2; threads++) {
            const int K = kernels[which], S = strides[which], P = K / 2;
            const vb_conv conv = vb_conv_over_nhwc(in, C, H, W, K, S, P);
            const int oh = vb_conv_out_height(&conv), ow = vb_conv_out_width(&conv);
            const vb_matrix matrix = {
                .data = weight, .dtype = VB_F32, .rows = OUT, .cols = C * K * K, .row_stride = C * K * K, .col_stride = 1};
            const vb_epilogue epilogue = {.scale = scale, .activation = VB_RELU};
            assert_ok(vb_conv_run(&conv, 3, &matrix, out, &epilogue, threads, &err));
            for (int at = 0; at < 3 * oh * ow * OUT; at++) {
                int o = at % OUT, x = at / OUT % ow, y = at / OUT / ow % oh, image = at / OUT / ow / oh;
                float sum = 0;
                for (int j = 0; j < C * K * K; j++)
                    sum += weight[o * C * K * K + j] *
                           pixel(in, false, C, H, W, image, j / (K * K), y * S - P + j / K % K, x * S - P + j % K);
                assert_true(out[at] == (sum < 0 ? 0 : sum * scale[o]));
            }
        }
}

/* Layers whose rows are gathered tap by tap, against the rows of vb_conv_row one value at a time: each bit, at every level.
 * Depths of one block and of several, the last one smaller, and tiles that are not full. */
static void convolution_is_one_chain_in_the_order_of_its_filter(void **state) {
    (void)state;
    vb_error err = {0};
    enum { MOST = 70, H = 6, W = 5, OUT = 37, IMAGES = 2 };
    static const struct {
        int channels, kernel, stride, padding;
    } cases[] = {{1, 3, 2, 1}, {28, 3, 2, 1}, {29, 3, 2, 1}, {57, 3, 3, 0}, {70, 3, 2, 2}, {64, 2, 2, 0}, {65, 2, 1, 1}};
    static float in[IMAGES * H * W * MOST], filter[OUT * MOST * 9], bias[OUT], out[IMAGES * 9 * 9 * OUT],
        expected[IMAGES * 9 * 9 * OUT];
    uint32_t noise = 5;
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) in[i] = random_short_float(&noise);
    for (size_t i = 0; i < sizeof filter / sizeof *filter; i++) filter[i] = random_short_float(&noise);
    for (int i = 0; i < OUT; i++) bias[i] = random_short_float(&noise);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const int depth = cases[k].channels * cases[k].kernel * cases[k].kernel;
        const vb_conv conv = vb_conv_over_nhwc(in, cases[k].channels, H, W, cases[k].kernel, cases[k].stride, cases[k].padding);
        const vb_matrix matrix = {filter, VB_F32, OUT, depth, depth, 1};
        const vb_epilogue epilogue = {.bias = bias, .last = VB_RELU};
        const vb_gemm_a rows = {.source = vb_conv_row, .context = &conv};
        const int64_t count = (int64_t)IMAGES * vb_conv_out_height(&conv) * vb_conv_out_width(&conv);
        assert_ok(vb_gemm_reference(count, &rows, &matrix, expected, OUT, &epilogue, &err));
        for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
            for (int threads = 1; threads <= 2; threads++) {
                vb_isa_limit((vb_isa)level);
                assert_ok(vb_conv_run(&conv, IMAGES, &matrix, out, &epilogue, threads, &err));
                for (int64_t i = 0; i < count * OUT; i++)
                    if (memcmp(&out[i], &expected[i], sizeof *out))
                        fail_msg("case %zu, %s, %d threads: entry %lld is %a instead of %a", k, vb_isa_name((vb_isa)level),
                                 threads, (long long)i, (double)out[i], (double)expected[i]);
            }
    }
    vb_isa_limit(VB_VNNI);
}

static void pools_average_and_drop_remainders(void **state) {
    (void)state;
    enum { N = 2, H = 7, W = 5, C = 3 };
    float in[N * H * W * C], out[N * H * W * C];
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) in[i] = 36 * pattern((int64_t)i);
    for (int size = 1; size <= 3; size++)
        for (int threads = 1; threads <= 3; threads++) {
            const int oh = H / size, ow = W / size;
            vb_conv_average_pool(in, N, H, W, C, &(vb_window){.size = size, .stride = size}, out, threads);
            for (int at = 0; at < N * oh * ow * C; at++) {
                int c = at % C, x = at / C % ow, y = at / C / ow % oh, image = at / C / ow / oh;
                double sum = 0;
                for (int k = 0; k < size * size; k++)
                    sum += pixel(in, false, C, H, W, image, c, y * size + k / size, x * size + k % size);
                assert_true(fabs(out[at] - sum / (size * size)) <= 1e-6 * fabs(sum));
            }
        }
}

/* Windows that overlap and begin outside: only what is inside counts. */
static void pools_leave_padding_out(void **state) {
    (void)state;
    enum { N = 2, H = 7, W = 6, C = 3 };
    static const vb_window windows[] = {{3, 2, 1}, {2, 1, 0}, {3, 1, 2}, {7, 7, 0}, {5, 3, 4}};
    float in[N * H * W * C], out[N * 12 * 12 * C];
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) in[i] = pattern((int64_t)i);
    for (size_t k = 0; k < sizeof windows / sizeof *windows; k++)
        for (int threads = 1; threads <= 3; threads++) {
            const vb_window *w = &windows[k];
            const int oh = (H + 2 * w->padding - w->size) / w->stride + 1, ow = (W + 2 * w->padding - w->size) / w->stride + 1;
            if (ow < 1) continue;
            assert_int_equal(vb_conv_windows(w, H), oh);
            vb_conv_average_pool(in, N, H, W, C, w, out, threads);
            for (int at = 0; at < N * oh * ow * C; at++) {
                int c = at % C, x = at / C % ow, y = at / C / ow % oh, image = at / C / ow / oh, count = 0;
                double sum = 0;
                for (int i = y * w->stride - w->padding; i < y * w->stride - w->padding + w->size; i++)
                    for (int j = x * w->stride - w->padding; j < x * w->stride - w->padding + w->size; j++) {
                        count += i >= 0 && i < H && j >= 0 && j < W;
                        sum += pixel(in, false, C, H, W, image, c, i, j);
                    }
                assert_true(fabs(out[at] - sum / count) <= 1e-6 * fabs(sum) + 1e-4);
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_im2col), cmocka_unit_test(convolution_is_its_definition),
                                       cmocka_unit_test(convolution_is_one_chain_in_the_order_of_its_filter),
                                       cmocka_unit_test(pools_average_and_drop_remainders),
                                       cmocka_unit_test(pools_leave_padding_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
