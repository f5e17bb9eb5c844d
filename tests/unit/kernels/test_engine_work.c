/* Tests of kept work space: batches like one before allocate nothing, whatever it holds changes no bit, and threads that encode
 * at once have one each. */
#include <omp.h>

#include "kernels/base/fault.h"
#include "kernels/matrix/attention.h"
#include "kernels/matrix/bf16x3_kernel.h"
#include "kernels/matrix/conv_run.h"
#include "kernels/matrix/depthwise.h"
#include "tests/unit/clip_reference.h"

enum { N = 6, PLACES = 1024 * 1024 };

/* ---- towers ---- */

/* A model, and N pictures or texts of it: whole, and several that begin alike. */
typedef struct scene {
    ref_model model;
    vb_clip *clip;
    float *pixels;
    int32_t *tokens;
    int embed;
} scene;

static void open_scene(scene *s, const ref_sizes *sizes, bool texts, int threads) {
    vb_error err = {0};
    ref_make_typed(&s->model, sizes, VB_F32, VB_F16, VB_F32, false);
    s->clip = ref_open(&s->model, sizes->family, threads);
    s->embed = sizes->embed;
    const vb_clip_info *info = vb_clip_describe(s->clip);
    const int64_t size = texts ? info->context_length : 3 * info->resolution * info->resolution;
    s->pixels = texts ? NULL : vb_array((size_t)(N * size), sizeof *s->pixels, "pixels", &err);
    s->tokens = texts ? vb_array((size_t)(N * size), sizeof *s->tokens, "tokens", &err) : NULL;
    assert_true(s->pixels || s->tokens);
    uint64_t noise = 5;
    for (int64_t i = 0; i < N * size; i++) {
        const int at = (int)(i % size), text = (int)(i / size);
        if (s->pixels) s->pixels[i] = (float)ref_random(&noise);
        else s->tokens[i] = at > text ? info->end_token : at < 2 ? 7 : 3 + text;
    }
}

static void close_scene(scene *s) {
    vb_clip_close(s->clip);
    vb_free(s->pixels), vb_free(s->tokens);
    ref_free(&s->model);
}

static int encode(const scene *s, int64_t n, float *out, vb_error *err) {
    return s->tokens ? vb_clip_encode_texts(s->clip, s->tokens, n, out, err) :
                       vb_clip_encode_images(s->clip, s->pixels, n, out, err);
}

/* Allocations of a batch: the n-th one is made to fail until none does. */
static int count_allocations(const scene *s, int64_t n, float *out) {
    for (int nth = 1;; nth++) {
        char specification[40];
        vb_error err = {0};
        snprintf(specification, sizeof specification, "alloc:%d:ENOMEM", nth);
        vb_fault_setup(specification, 0);
        const int status = encode(s, n, out, &err);
        vb_fault_setup(NULL, 0);
        if (!status) return nth - 1;
        assert_int_equal(err.code, VB_EMEMORY);
    }
}

static void hold(const ref_sizes *sizes, bool texts, int threads, const vb_bf16x3_kernel *bf16x3) {
    vb_error err = {0};
    scene s;
    float first[N * 64], again[N * 64];
    open_scene(&s, sizes, texts, threads);
    const size_t size = (size_t)(N * s.embed) * sizeof *first;
    assert_true(size <= sizeof first);
    vb_clip_multiply_by(s.clip, bf16x3);
    assert_true(count_allocations(&s, N, first) > 0);
    for (int batch = 2; batch <= 3; batch++) {
        memset(again, 0, sizeof again);
        assert_int_equal(count_allocations(&s, N, again), 0);
        assert_memory_equal(again, first, size);
    }
    assert_int_equal(count_allocations(&s, 1, again), 0); /* a smaller one needs no more */
    assert_memory_equal(again, first, (size_t)s.embed * sizeof *first);
    vb_clip_rest(s.clip);
    assert_true(count_allocations(&s, 1, again) > 0);
    assert_ok(encode(&s, N, again, &err)); /* and a larger one finds more */
    assert_memory_equal(again, first, size);
    close_scene(&s);
}

static void batches_like_one_before_allocate_nothing(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        hold(&ref_small_vit, false, threads, NULL);
        hold(&ref_small_resnet, false, threads, NULL);
        hold(&ref_small_vit, true, threads, NULL);
    }
    hold(&ref_small_vit, false, 1, &vb_bf16x3_kernel_scalar);
    hold(&ref_small_resnet, false, 1, &vb_bf16x3_kernel_scalar);
}

/* Threads that encode at once do not meet in one work space, and leave theirs for those that come. */
static void threads_have_one_each(void **state) {
    (void)state;
    enum { TEAM = 3, ROUNDS = 20 };
    vb_error err = {0};
    for (int texts = 0; texts < 2; texts++) {
        scene s;
        float expected[N * 64];
        int wrong = 0;
        open_scene(&s, &ref_small_vit, texts, 1);
        assert_ok(encode(&s, N, expected, &err));
#pragma omp parallel num_threads(TEAM) reduction(+ : wrong)
        for (int round = 0; round < ROUNDS; round++) {
            float out[N * 64];
            vb_error mine = {0};
            const int n = 1 + (round + omp_get_thread_num()) % N;
            wrong += encode(&s, n, out, &mine) || memcmp(out, expected, (size_t)(n * s.embed) * sizeof *out);
        }
        assert_int_equal(wrong, 0);
        assert_int_equal(count_allocations(&s, 1, expected), 0);
        close_scene(&s);
    }
}

/* ---- kernels ---- */

static uint64_t noise_state = 3;

/* A scratch that is full of NaN. */
static void spoil(vb_scratch *scratch) {
    vb_error err = {0};
    void *all = vb_scratch_take(scratch, PLACES, sizeof(float), "spoilt", &err);
    assert_non_null(all);
    memset(all, 0xff, PLACES * sizeof(float));
    vb_scratch_give(scratch, all);
}

static const struct {
    const char *name;
    int kernel, stride, times, bf16x3; /* kernel 0: attention; times 0: no depthwise convolution */
} trials[] = {{"attention", 0, 1, 0, 0},
              {"product", 1, 1, 0, 0},
              {"gathered product", 3, 2, 0, 0},
              {"Winograd's transforms", 3, 1, 0, 0},
              {"depthwise", 3, 1, 1, 0},
              {"depthwise, two filters", 5, 2, 2, 0},
              {"three products of bf16", 3, 1, 0, 1}};

enum { SIDE = 9, CHANNELS = 20, IMAGES = 2, MOST = IMAGES * SIDE * SIDE * CHANNELS * 2 };

static int run_trial(size_t t, float *in, const float *weight, float *out, int threads, vb_scratch *scratch) {
    vb_error err = {0};
    if (!trials[t].kernel) {
        static const int64_t offsets[] = {0, SIDE * SIDE, 2 * SIDE * SIDE};
        const vb_attention_batch batch = {.query = in,
                                          .key = in,
                                          .value = in,
                                          .ld_query = CHANNELS,
                                          .ld_key = CHANNELS,
                                          .ld_value = CHANNELS,
                                          .sequences = 2,
                                          .offsets = offsets,
                                          .heads = 2,
                                          .head_dim = CHANNELS / 2,
                                          .causal = true,
                                          .scale = 0.3f,
                                          .scratch = scratch};
        return vb_attention(&batch, out, CHANNELS, threads, &err);
    }
    const int kernel = trials[t].kernel, stride = trials[t].stride, padding = kernel / 2;
    if (trials[t].times) {
        const vb_depthwise conv = {.input = in,
                                   .channels = CHANNELS,
                                   .height = SIDE,
                                   .width = SIDE,
                                   .times = trials[t].times,
                                   .kernel = kernel,
                                   .stride = stride,
                                   .padding = padding,
                                   .weight = weight,
                                   .scratch = scratch};
        return vb_depthwise_run(&conv, IMAGES, out, &(vb_epilogue){0}, threads, &err);
    }
    vb_conv conv = vb_conv_over_nhwc(in, CHANNELS, SIDE, SIDE, kernel, stride, padding);
    conv.bf16x3 = trials[t].bf16x3 ? &vb_bf16x3_kernel_scalar : NULL;
    conv.scratch = scratch;
    const int64_t depth = (int64_t)CHANNELS * kernel * kernel;
    const vb_matrix matrix = {weight, VB_F32, CHANNELS, depth, depth, 1};
    return vb_conv_run(&conv, IMAGES, &matrix, out, &(vb_epilogue){0}, threads, &err);
}

static void what_was_there_changes_no_bit(void **state) {
    (void)state;
    static float in[MOST], weight[CHANNELS * CHANNELS * 25], expected[MOST], found[MOST];
    for (int i = 0; i < MOST; i++) in[i] = (float)ref_random(&noise_state);
    for (int i = 0; i < CHANNELS * CHANNELS * 25; i++) weight[i] = (float)ref_random(&noise_state);
    vb_scratch scratch = {0};
    for (size_t t = 0; t < sizeof trials / sizeof *trials; t++)
        for (int threads = 1; threads <= 2; threads++) {
            memset(expected, 0, sizeof expected);
            memset(found, 0, sizeof found);
            assert_int_equal(run_trial(t, in, weight, expected, threads, NULL), 0);
            spoil(&scratch);
            void *const data = scratch.data;
            vb_fault_setup("alloc:1:ENOMEM", 0);
            assert_int_equal(run_trial(t, in, weight, found, threads, &scratch), 0);
            vb_fault_setup(NULL, 0);
            assert_ptr_equal(scratch.data, data);
            if (memcmp(found, expected, sizeof found)) fail_msg("%s, %d threads: other bits", trials[t].name, threads);
        }
    vb_scratch_free(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(batches_like_one_before_allocate_nothing),
                                       cmocka_unit_test(threads_have_one_each), cmocka_unit_test(what_was_there_changes_no_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
