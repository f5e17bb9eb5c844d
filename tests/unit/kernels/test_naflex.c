/* Tests of towers that see images in their own shape: SigLIP 2 NaFlex. The expected numbers were computed with transformers 5.24:
 * Siglip2VisionModel with the same weights, its images padded and masked in one batch; image_processing_siglip2.py. */
#include "kernels/base/isa_internal.h"
#include "kernels/base/memory.h"
#include "kernels/image/preprocess.h"
#include "kernels/towers/clip.h"
#include "shards/embeddings/npy.h"
#include "shards/weights/weights.h"
#include "tests/unit/clip_reference.h"

enum { WIDTH = 16, HIDDEN = 24, PATCH = 2, SIDE = 3, MOST = 20, IMAGES = 4, STRIDE = 3 * PATCH * PATCH * MOST };
static const vb_patch_grid grids[IMAGES] = {{3, 3}, {1, 1}, {5, 4}, {2, 7}};

/* ---- the model ---- */

static void add(ref_model *m, const char *prefix, const char *suffix, int rows, int columns, float offset) {
    ref_addf(m, offset, 1, columns ? 2 : 1, (const int64_t[]){rows, columns}, "visual.%s%s", prefix, suffix);
}

static void add_linear(ref_model *m, const char *prefix, const char *suffix, int out, int in) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    add(m, name, ".weight", out, in, 0);
    add(m, name, ".bias", out, 0, 0);
}

static void add_norm(ref_model *m, const char *prefix, const char *suffix) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    add(m, name, ".weight", WIDTH, 0, 1);
    add(m, name, ".bias", WIDTH, 0, 0);
}

/* Afterwards m->random continues with the pixels. */
static void make(ref_model *m) {
    *m = (ref_model){.random = 1, .uniform = true};
    add_linear(m, "conv1", "", WIDTH, 3 * PATCH * PATCH);
    add(m, "positional_embedding", "", SIDE * SIDE, WIDTH, 0);
    for (int i = 0; i < 2; i++) {
        char block[40];
        snprintf(block, sizeof block, "transformer.resblocks.%d.", i);
        add_norm(m, block, "ln_1");
        add_linear(m, block, "attn.q_proj", WIDTH, WIDTH);
        add_linear(m, block, "attn.k_proj", WIDTH, WIDTH);
        add_linear(m, block, "attn.v_proj", WIDTH, WIDTH);
        add_linear(m, block, "attn.out_proj", WIDTH, WIDTH);
        add_norm(m, block, "ln_2");
        add_linear(m, block, "mlp.c_fc", HIDDEN, WIDTH);
        add_linear(m, block, "mlp.c_proj", WIDTH, HIDDEN);
    }
    add_norm(m, "ln_post", "");
    add(m, "attn_pool.probe", "", WIDTH, 0, 0);
    add(m, "attn_pool.attn.in_proj_weight", "", 3 * WIDTH, WIDTH, 0);
    add(m, "attn_pool.attn.in_proj_bias", "", 3 * WIDTH, 0, 0);
    add_linear(m, "attn_pool.", "attn.out_proj", WIDTH, WIDTH);
    add_norm(m, "attn_pool.", "layernorm");
    add_linear(m, "attn_pool.", "mlp.c_fc", HIDDEN, WIDTH);
    add_linear(m, "attn_pool.", "mlp.c_proj", WIDTH, HIDDEN);
}

static vb_clip *open_model(const ref_model *m, int threads) {
    vb_error err = {0};
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_by_signs(&m->set),
                                     .stated = {.image.heads = 2, .max_patches = MOST},
                                     .threads = threads};
    assert_ptr_equal(options.family, vb_family_find("naflex"));
    assert_ok(vb_clip_open(&clip, &m->set, &options, &err));
    return clip;
}

/* What lies behind a picture is never read: NaN. */
static void fill_pixels(ref_model *m, float *pixels) {
    for (int i = 0; i < IMAGES; i++)
        for (int k = 0; k < STRIDE; k++)
            pixels[i * STRIDE + k] =
                k < 3 * PATCH * PATCH * grids[i].rows * grids[i].columns ? (float)ref_uniform(&m->random) : NAN;
}

static const double expected[IMAGES][WIDTH] = {
    {1.763308, 0.1428173, 1.518323, -1.18449, -3.038704, -2.537341, -1.020555, 6.661392, -0.2334831, 2.665569, -2.519559,
     -0.9560446, 0.06203204, 1.405152, 1.318777, -1.391318},
    {0.4633529, 1.276788, 1.345283, 0.3644349, -1.491837, -4.390777, -2.17495, 5.276776, -2.3136, 2.908797, -1.633128, -0.3512549,
     0.2943773, 1.855422, 0.1051347, -2.004849},
    {1.754467, 0.3264644, 1.397895, -0.8949513, -3.534153, -2.929285, -1.52472, 7.153569, -0.5307807, 3.137198, -2.624737,
     -0.667864, -0.2453043, 1.341792, 1.51785, -1.48349},
    {1.588287, -0.1011772, 1.239002, -0.8914017, -3.042219, -3.105058, -2.069512, 6.500615, -0.5530496, 2.836621, -2.444903,
     -1.647394, 0.08119237, 1.561872, 0.8995739, -1.552745}};

/* ---- tests ---- */

static void embeddings_are_transformers(void **state) {
    (void)state;
    static float pixels[IMAGES * STRIDE], out[IMAGES * WIDTH], again[IMAGES * WIDTH];
    vb_error err = {0};
    ref_model m;
    make(&m);
    fill_pixels(&m, pixels);
    vb_clip *clips[2] = {open_model(&m, 3), open_model(&m, 1)};
    assert_ok(vb_clip_encode_pictures(clips[0], pixels, grids, IMAGES, out, &err));
    for (int i = 0; i < IMAGES; i++) assert_close(out + i * WIDTH, expected[i], WIDTH, 1e-5, "NaFlex");
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int c = 0; c < 2; c++) {
            for (int i = 0; i < IMAGES; i++)
                assert_ok(vb_clip_encode_pictures(clips[c], pixels + i * STRIDE, &grids[i], 1, again + i * WIDTH, &err));
            assert_memory_equal(out, again, sizeof out);
        }
    }
    vb_isa_limit(VB_ISA_LEVELS - 1);
    for (int c = 0; c < 2; c++) vb_clip_close(clips[c]);
    ref_free(&m);
}

/* A batch of many pieces: the same bits, whatever shares a piece with whatever. */
static void pieces_change_nothing(void **state) {
    (void)state;
    enum { MANY = 24000 };
    static float pixels[IMAGES * STRIDE], out[IMAGES * WIDTH];
    vb_error err = {0};
    ref_model m;
    make(&m);
    fill_pixels(&m, pixels);
    vb_clip *clip = open_model(&m, 1);
    const vb_program *program = vb_clip_image_program(clip);
    float *many = vb_array((size_t)MANY * STRIDE, sizeof *many, "pixels", &err),
          *rows = vb_array((size_t)MANY * WIDTH, sizeof *rows, "rows", &err);
    vb_patch_grid *shapes = vb_array(MANY, sizeof *shapes, "shapes", &err);
    assert_true(many && rows && shapes);
    for (int i = 0; i < MANY; i++) {
        const int which = i / 7 % IMAGES;
        memcpy(many + (size_t)i * STRIDE, pixels + which * STRIDE, STRIDE * sizeof *many);
        shapes[i] = grids[which];
    }
    assert_true(vb_program_floats(program, MANY, (int64_t)MANY * 11) > (size_t)1 << 24); /* two pieces at least */
    assert_ok(vb_clip_encode_pictures(clip, pixels, grids, IMAGES, out, &err));
    assert_ok(vb_clip_encode_pictures(clip, many, shapes, MANY, rows, &err));
    for (int i = 0; i < MANY; i++)
        assert_memory_equal(rows + (size_t)i * WIDTH, out + i / 7 % IMAGES * WIDTH, WIDTH * sizeof *out);
    vb_free(many);
    vb_free(rows);
    vb_free(shapes);
    vb_clip_close(clip);
    ref_free(&m);
}

static void sizes_follow_from_the_tensors(void **state) {
    (void)state;
    ref_model m;
    make(&m);
    vb_clip *clip = open_model(&m, 1);
    const vb_program *program = vb_clip_image_program(clip);
    const vb_clip_info *info = vb_clip_describe(clip);
    assert_int_equal(info->patch, PATCH);
    assert_int_equal(info->max_patches, MOST);
    assert_int_equal(info->positions, SIDE * SIDE);
    assert_int_equal(info->resolution, 0);
    assert_int_equal(program->picture, STRIDE);
    const double w = WIDTH, r = 10, block = r * 2 * (4 * w * w + 2 * w * HIDDEN) + 4 * r * r * w,
                 pool = 2 * w * w * (1 + 2 * r + 1) + 4 * r * w + 4 * w * HIDDEN;
    const double flops = vb_program_flops(program, 10), sum = r * 2 * w * 12 + 2 * block + pool;
    assert_true(flops >= sum && flops <= sum);
    char line[160];
    vb_program_print(program, 0, MOST, line, sizeof line);
    assert_non_null(strstr(line, "patches    patches x 12       -> patches x 16"));
    assert_non_null(strstr(line, "of 2 x 2 pixels, 3 x 3 positions"));
    vb_clip_close(clip);
    ref_free(&m);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    static float pixels[STRIDE], out[WIDTH];
    static const vb_patch_grid bad[] = {{0, 3}, {3, 0}, {3, 7}, {1 << 30, 1 << 30}, {-1, -4}};
    vb_error err = {0};
    ref_model m;
    make(&m);
    vb_clip *clip = open_model(&m, 1);
    assert_fails(vb_clip_encode_images(clip, pixels, 1, out, &err), VB_EMISMATCH, "images without their grids");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(vb_clip_encode_pictures(clip, pixels, &bad[i], 1, out, &err), VB_EMISMATCH,
                     "patches, expected 1 to 20 in all");
    vb_clip_close(clip);
    ref_model plain = {0};
    ref_make(&plain, &ref_small_vit);
    clip = ref_open(&plain, "clip", 1);
    assert_fails(vb_clip_encode_pictures(clip, pixels, grids, 1, out, &err), VB_EMISMATCH, "for a tower that sees squares");
    vb_clip_close(clip);
    ref_free(&plain);
    const vb_clip_options options = {.family = vb_family_find("naflex"), .stated = {.image.heads = 2}, .threads = 1};
    for (size_t i = 0; i < m.set.count; i++) {
        vb_tensor *tensor = &m.items[i].tensor, was = *tensor;
        const bool patches = !strcmp(m.items[i].name, "visual.conv1.weight"),
                   table = !strcmp(m.items[i].name, "visual.positional_embedding");
        if (!patches && !table) continue;
        tensor->shape[!table]--;
        assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                     patches ? "has 11 columns, expected 3 for each pixel of a square" : "has 8 rows, expected a square's cells");
        *tensor = was;
    }
    ref_free(&m);
}

/* width, height, patch, patches at most; rows, columns. */
static void grids_are_transformers(void **state) {
    (void)state;
    static const int cases[][6] = {{32, 32, 16, 24, 4, 4},       {40, 61, 16, 24, 6, 4},       {1, 1, 16, 256, 7, 7},
                                   {3000, 2, 16, 256, 1, 256},   {2, 3000, 16, 256, 256, 1},   {640, 480, 16, 256, 14, 18},
                                   {480, 640, 16, 1024, 36, 27}, {65500, 1, 16, 1, 1, 1},      {100, 70, 14, 729, 22, 32},
                                   {224, 224, 16, 256, 16, 16},  {1276, 524, 32, 576, 15, 37}, {1629, 1415, 32, 1, 1, 1},
                                   {1722, 954, 14, 1, 1, 1},     {1846, 322, 14, 576, 10, 57}, {961, 1779, 14, 729, 36, 20},
                                   {1114, 209, 32, 24, 2, 11},   {27, 1498, 14, 729, 182, 4},  {573, 373, 16, 7, 2, 3},
                                   {1561, 1633, 14, 7, 3, 2},    {1266, 1265, 16, 7, 2, 3},    {271, 4, 14, 24, 1, 24},
                                   {1585, 442, 14, 7, 1, 4},     {593, 643, 14, 24, 5, 4},     {373, 1928, 32, 24, 11, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int *c = cases[i];
        const vb_preprocess spec = {.patch = c[2], .max_patches = c[3]};
        vb_patch_grid grid;
        vb_error err = {0};
        assert_ok(vb_preprocess_grid(&spec, c[0], c[1], &grid, &err));
        if (grid.rows != c[4] || grid.columns != c[5])
            fail_msg("%d x %d: %d rows, %d columns, expected %d, %d", c[0], c[1], grid.rows, grid.columns, c[4], c[5]);
    }
    const vb_preprocess spec = {.patch = 16, .max_patches = 4};
    vb_patch_grid grid;
    vb_error err = {0};
    assert_fails(vb_preprocess_grid(&spec, INT32_MAX, 1, &grid, &err), VB_EUNSUPPORTED, "has no size of at most 4 patches of 16");
}

/* An image of the very size of its grid keeps its pixels; others are resized to it, which the squashing resize does too. */
static void pixels_have_the_shape_of_the_grid(void **state) {
    (void)state;
    enum { W = 12, H = 8, SQUARE = 16 };
    static uint8_t bytes[SQUARE * SQUARE * 3];
    static float out[3 * 24 * 16], other[3 * SQUARE * SQUARE];
    vb_error err = {0};
    uint64_t random = 3;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(255 * ((float)ref_uniform(&random) + 0.5f));
    vb_preprocess spec = {
        .patch = 4, .max_patches = 6, .filter = VB_FILTER_BILINEAR, .mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};
    vb_image image = {.mode = VB_MODE_RGB, .width = W, .height = H, .pixels = bytes};
    assert_int_equal(vb_preprocess_floats(&spec), 3 * 6 * 4 * 4);
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < W * H; i++) {
            const float value = ((float)bytes[3 * i + c] / 255.0f - 0.5f) / 0.5f;
            assert_memory_equal(&out[c * W * H + i], &value, sizeof value);
        }
    image.width = image.height = 11; /* one grid of 4 x 4 patches is a square of 16 */
    spec.max_patches = 16;
    assert_ok(vb_preprocess_image(&spec, &image, out, &err));
    vb_preprocess squash = spec;
    squash.max_patches = 0;
    squash.resize = VB_RESIZE_SQUASH;
    squash.resolution = SQUARE;
    assert_ok(vb_preprocess_image(&squash, &image, other, &err));
    assert_memory_equal(out, other, sizeof other);
    char text[256];
    vb_preprocess_describe(&spec, text, sizeof text);
    assert_string_equal(
        text, "pillow-9.4 bilinear own shape, own mode then RGB, at most 16 patches of 4, mean 0.5 0.5 0.5, std 0.5 0.5 0.5");
    spec.max_patches = 4097;
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EMISMATCH, "4097 patches of 4: expected 1 to 4096");
    spec.max_patches = 1;
    spec.patch = 0;
    assert_fails(vb_preprocess_image(&spec, &image, out, &err), VB_EMISMATCH, "1 patches of 0");
}

/* The shared fixture: its first pictures, whose patches are (row, column, channel) values. */
static void fixture_is_transformers(void **state) {
    (void)state;
    enum { DIM = 128, SIDE_OF_IT = 16, PATCHES = 24 };
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_clip *clip;
    vb_npy patches, shapes, truth;
    assert_ok(vb_weights_open(&weights, shared_path(path, "zoo/fixtures/siglip2-naflex/model.safetensors"), false, &err));
    assert_string_equal(weights.family_hint, "naflex");
    assert_ok(vb_npy_open(&patches, shared_path(path, "zoo/fixtures/siglip2-naflex/patches.npy"), &err));
    assert_ok(vb_npy_open(&shapes, shared_path(path, "zoo/fixtures/siglip2-naflex/spatial_shapes.npy"), &err));
    assert_ok(vb_npy_open(&truth, shared_path(path, "zoo/fixtures/siglip2-naflex/image_embeddings.npy"), &err));
    const vb_clip_options options = {.family = vb_family_find("naflex"), .stated = {.max_patches = PATCHES}, .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    const int64_t inputs = 3 * SIDE_OF_IT * SIDE_OF_IT;
    float *pixels = vb_array((size_t)(PATCHES * inputs), sizeof *pixels, "pixels", &err), out[DIM];
    for (int64_t i = 0; i < patches.tensor.shape[0]; i++) {
        const vb_patch_grid grid = {((const int32_t *)shapes.tensor.data)[2 * i],
                                    ((const int32_t *)shapes.tensor.data)[2 * i + 1]};
        const int64_t width = grid.columns * SIDE_OF_IT, plane = width * grid.rows * SIDE_OF_IT;
        for (int64_t p = 0; p < grid.rows * grid.columns; p++)
            for (int64_t k = 0; k < inputs; k++)
                pixels[k % 3 * plane + (p / grid.columns * SIDE_OF_IT + k / 3 / SIDE_OF_IT) * width +
                       p % grid.columns * SIDE_OF_IT + k / 3 % SIDE_OF_IT] =
                    (float)vb_tensor_at(&patches.tensor, (i * PATCHES + p) * inputs + k);
        double row[DIM];
        for (int j = 0; j < DIM; j++) row[j] = vb_tensor_at(&truth.tensor, i * DIM + j);
        assert_ok(vb_clip_encode_pictures(clip, pixels, &grid, 1, out, &err));
        assert_close(out, row, DIM, 1e-5, "fixture");
    }
    vb_free(pixels);
    vb_clip_close(clip);
    vb_npy_close(&patches);
    vb_npy_close(&shapes);
    vb_npy_close(&truth);
    vb_weights_close(&weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(embeddings_are_transformers),
                                       cmocka_unit_test(pieces_change_nothing),
                                       cmocka_unit_test(sizes_follow_from_the_tensors),
                                       cmocka_unit_test(what_does_not_fit_is_refused),
                                       cmocka_unit_test(grids_are_transformers),
                                       cmocka_unit_test(pixels_have_the_shape_of_the_grid),
                                       cmocka_unit_test(fixture_is_transformers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
