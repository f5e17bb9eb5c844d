/* Which weights are brought into the kernels' layout once, what they take, and that embeddings do not change. */
#include "kernels/towers/kept_weights.h"
#include "tests/unit/clip_reference.h"

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "kernels/towers/clip.h"
#include "tests/unit/random.h"

static float *random_pixels(int64_t n, int resolution) {
    vb_error err = {0};
    uint64_t noise = 5;
    const int64_t count = n * 3 * resolution * resolution;
    float *pixels = vb_array((size_t)count, sizeof *pixels, "pixels", &err);
    assert_non_null(pixels);
    for (int64_t i = 0; i < count; i++) pixels[i] = random_unit_float(&noise);
    return pixels;
}

static vb_clip *open_model(const ref_model *m, int threads) {
    const vb_clip_options options = {.family = vb_family_find("clip"), .threads = threads};
    vb_clip *clip;
    vb_error err = {0};
    assert_ok(vb_clip_open(&clip, &m->set, &options, &err));
    return clip;
}

/* A program of one 3 x 3 layer after the other; one with stride 2 and one of 1 x 1 pixel are none. */
static void make_layers(vb_program *program, const float *weight, int layers, int channels) {
    vb_error err = {0};
    const vb_convolution first = {.weight = {weight, VB_F32, channels, 27, 27, 1}, .kernel = 3, .stride = 2, .padding = 1};
    int at = vb_program_conv(program, vb_program_pixels(program, 16, &err), &first, VB_NO_VALUE, &err);
    for (int i = 0; i < layers; i++) {
        const vb_convolution wide = {.weight = {weight, VB_F32, channels, 9 * channels, 9 * channels, 1},
                                     .kernel = 3,
                                     .stride = 1,
                                     .padding = 1};
        const vb_convolution narrow = {.weight = {weight, VB_F32, channels, channels, channels, 1}, .kernel = 1, .stride = 1};
        at = vb_program_conv(program, at, &wide, VB_NO_VALUE, &err);
        at = vb_program_conv(program, at, &narrow, VB_NO_VALUE, &err);
    }
    assert_ok(vb_program_finish(program, vb_program_pool_all(program, at, &err), &err));
}

static int count_kept(const vb_program *program) {
    int kept = 0;
    for (int i = 0; i < program->count; i++) kept += program->operations[i].kept.floats != NULL;
    return kept;
}

/* Transformed filters for one or two images; a layer of 512 channels takes 37.7 MB of them. Packed weights for 512 rows, which
 * are eight pictures of 8 x 8 pixels. */
static void the_bounds_hold(void **state) {
    (void)state;
    enum { LAYERS = 16, CHANNELS = 512 };
    static float weight[9 * 16 * 16]; /* of large layers nothing is read */
    vb_program large = {0};
    make_layers(&large, weight, LAYERS, CHANNELS);
    const size_t one = 36UL * CHANNELS * CHANNELS, all = (512UL << 20) / sizeof *weight;
    const size_t floats = vb_kept_weights_floats(&large, 1), packed = LAYERS * CHANNELS * CHANNELS + 27 * CHANNELS;
    assert_true(floats > all - one && floats <= all);
    assert_true(vb_kept_weights_floats(&large, 2) == floats);
    assert_true(vb_kept_weights_floats(&large, 3) == packed && vb_kept_weights_floats(&large, 8) == packed);
    assert_true(!vb_kept_weights_floats(&large, 9) && !vb_kept_weights_floats(&large, INT64_MAX));
    vb_program_close(&large);
}

/* Three that share the work write what one writes, each another part of it. */
static void parts_make_the_whole(void **state) {
    (void)state;
    static float weight[9 * 16 * 16];
    vb_error err = {0};
    vb_program small = {0};
    uint64_t noise = 3;
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) weight[i] = random_unit_float(&noise);
    make_layers(&small, weight, 2, 16);
    const size_t floats = vb_kept_weights_floats(&small, 2);
    float *whole = vb_array(floats, sizeof *whole, "kept", &err), *joined = vb_array(floats, sizeof *whole, "kept", &err);
    assert_true(whole && joined);
    assert_ok(vb_kept_weights_fill(&small, 2, whole, &(vb_kept_share){0, 1, 2}, &err));
    for (int part = 0; part < 3; part++) {
        assert_memory_not_equal(joined, whole, floats * sizeof *whole);
        assert_ok(vb_kept_weights_fill(&small, 2, joined, &(vb_kept_share){part, 3, 1}, &err));
    }
    assert_memory_equal(joined, whole, floats * sizeof *whole);
    vb_kept_weights_use(&small, 2, whole);
    assert_int_equal(count_kept(&small), 5);
    vb_kept_weights_use(&small, 3, whole); /* without filters */
    assert_int_equal(count_kept(&small), 3);
    vb_kept_weights_use(&small, 3, NULL);
    assert_int_equal(count_kept(&small), 0);
    vb_program_close(&small);
    vb_free(whole), vb_free(joined);
}

/* A batch of three after weights were kept for one image, and before, have the same bytes; so has another number of threads. */
static void check_embeddings(const ref_sizes *sizes, int resolution, vb_dtype first, bool scattered, int least) {
    enum { N = 3, MOST = 64 };
    ref_model m;
    ref_make_typed(&m, sizes, first, VB_F32, VB_BF16, scattered);
    float *pixels = random_pixels(N, resolution), plain[N * MOST], kept[N * MOST];
    vb_error err = {0};
    for (int threads = 1; threads <= 2; threads++) {
        vb_clip *clip = open_model(&m, threads);
        const size_t row = (size_t)vb_clip_describe(clip)->embed_dim;
        const size_t floats = vb_clip_kept_floats(clip, 1);
        float *space = vb_array(floats, sizeof *space, "kept", &err);
        assert_true(row <= MOST && floats > 0 && space);
        assert_ok(vb_clip_encode_images(clip, pixels, N, plain, &err));
        for (int part = 0; part < threads; part++) assert_ok(vb_clip_fill_kept(clip, 1, space, part, threads, &err));
        vb_clip_use_kept(clip, 1, space);
        assert_true(count_kept(vb_clip_image_program(clip)) >= least);
        assert_int_equal(count_kept(vb_clip_text_program(clip)), 0);
        memset(kept, 0, sizeof kept);
        assert_ok(vb_clip_encode_images(clip, pixels, N, kept, &err));
        assert_memory_equal(kept, plain, N * row * sizeof *kept);
        assert_ok(vb_clip_encode_images(clip, pixels + 3 * resolution * resolution, 1, kept, &err));
        assert_memory_equal(kept, plain + row, row * sizeof *kept);
        vb_clip_use_kept(clip, 1, NULL);
        assert_int_equal(count_kept(vb_clip_image_program(clip)), 0);
        assert_true(!vb_clip_kept_floats(clip, 5000));
        vb_clip_close(clip);
        vb_free(space);
    }
    ref_free(&m);
    vb_free(pixels);
}

static void embeddings_do_not_change(void **state) {
    (void)state;
    check_embeddings(&ref_small_resnet, 64, VB_F16, false, 12);
    check_embeddings(&ref_small_vit, 12, VB_F16, false, 2 * 4 + 2); /* patches, projection, four products a layer */
    check_embeddings(&ref_small_vit, 12, VB_F32, true, 2 * 4 + 2);
}

/* Wherever memory ends it is an error. */
static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    ref_model m;
    ref_make_typed(&m, &ref_small_resnet, VB_F32, VB_F32, VB_F32, false);
    vb_clip *clip = open_model(&m, 1);
    vb_error err = {0};
    float *space = vb_array(vb_clip_kept_floats(clip, 1), sizeof *space, "kept", &err);
    int failures = 0;
    assert_non_null(space);
    for (int nth = 1;; nth++, failures++) {
        char specification[40];
        snprintf(specification, sizeof specification, "alloc:%d:ENOMEM", nth);
        vb_fault_setup(specification, 0);
        const int status = vb_clip_fill_kept(clip, 1, space, 0, 1, &err);
        vb_fault_setup(NULL, 0);
        if (!status) break;
        assert_int_equal(err.code, VB_EMEMORY);
    }
    assert_true(failures > 5); /* one a transformed layer */
    vb_clip_close(clip);
    vb_free(space);
    ref_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_bounds_hold), cmocka_unit_test(parts_make_the_whole),
                                       cmocka_unit_test(embeddings_do_not_change), cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
