/* Towers of convolutions against their publishers' libraries, on the tiny models of the shared zoo; the same bits at every level,
 * thread count and batch; and no tensor that could be missing or of another shape without a message that names it. */
#include <math.h>
#include <stdio.h>

#include "tests/unit/vb_test.h"
#include "kernels/base/isa_internal.h"
#include "kernels/towers/clip.h"
#include "shards/embeddings/npy.h"
#include "shards/weights/weights.h"

enum { EMBED = 32, PICTURES = 2, TEXTS = 10 };

static const struct {
    const char *name, *pixels, *family;
    int resolution;
    bool spoiled; /* each of its tensors in turn: of models that are much alike one will do */
} models[] = {{"convnext-d", "convnext-d", "convnext", 64, true},
              {"convnext-w", "convnext-w", "convnext", 64, false},
              {"mobileclip-s1", "mobileclip-s1", "mobileclip_s", 128, true},
              {"mobileclip-s1-reparam", "mobileclip-s1", "mobileclip_s", 128, true},
              {"mobileclip2-s3", "mobileclip2-s3", "mobileclip_s", 128, false},
              {"mobileclip-b", "mobileclip-b", "mobileclip_b", 64, true},
              {"vitamin", "vitamin", "vitamin", 64, true}};
enum { MODELS = sizeof models / sizeof *models };

static const char *file_of(char path[1024], int model, const char *file) {
    char name[256];
    const bool pixels = !strcmp(file, "pixels.npy");
    snprintf(name, sizeof name, "zoo/fixtures/%s/%s", pixels ? models[model].pixels : models[model].name, file);
    return shared_path(path, name);
}

static void open_weights(vb_weights *weights, int model) {
    char path[1024];
    vb_error err = {0};
    assert_ok(vb_weights_open(weights, file_of(path, model, "model.safetensors"), false, &err));
    assert_null(weights->architecture);
    assert_string_equal(weights->family_hint, models[model].family);
}

static int open_model(vb_clip **clip, const vb_tensor_set *set, int model, int threads, vb_error *err) {
    const vb_clip_options options = {.family = vb_family_find(models[model].family),
                                     .stated = {.resolution = models[model].resolution},
                                     .threads = threads};
    return vb_clip_open(clip, set, &options, err);
}

/* Relative to the largest element, and by direction. */
static void compare(const char *path, const float *found, int rows) {
    vb_error err = {0};
    vb_npy truth;
    assert_ok(vb_npy_open(&truth, path, &err));
    double largest = 0, worst = 0;
    for (int i = 0; i < rows; i++) {
        double dot = 0, a = 0, b = 0;
        for (int j = 0; j < EMBED; j++) {
            const double x = (double)found[i * EMBED + j], y = (double)vb_tensor_at(&truth.tensor, i * EMBED + j);
            if (fabs(y) > largest) largest = fabs(y);
            if (fabs(x - y) > worst) worst = fabs(x - y);
            dot += x * y, a += x * x, b += y * y;
        }
        if (!(dot / sqrt(a * b) >= 0.9999999)) fail_msg("%s: row %d has cosine %.9f", path, i, dot / sqrt(a * b));
    }
    if (!(worst <= 1e-5 * largest)) fail_msg("%s: relative error %g", path, worst / largest);
    vb_npy_close(&truth);
}

static void towers_agree_with_their_libraries(void **state) {
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        char path[1024];
        vb_error err = {0};
        vb_weights weights;
        vb_clip *clip;
        vb_npy pixels, tokens;
        float out[TEXTS * EMBED];
        open_weights(&weights, m);
        assert_ok(open_model(&clip, &weights.set, m, 1, &err));
        assert_ok(vb_npy_open(&pixels, file_of(path, m, "pixels.npy"), &err));
        assert_ok(vb_clip_encode_images(clip, pixels.tensor.data, PICTURES, out, &err));
        compare(file_of(path, m, "image_embeddings.npy"), out, PICTURES);
        assert_ok(vb_npy_open(&tokens, file_of(path, m, "tokens.npy"), &err));
        int32_t ids[TEXTS * 77];
        for (int i = 0; i < TEXTS * 77; i++) ids[i] = (int32_t)vb_tensor_at(&tokens.tensor, i);
        assert_ok(vb_clip_encode_texts(clip, ids, TEXTS, out, &err));
        compare(file_of(path, m, "text_embeddings.npy"), out, TEXTS);
        vb_npy_close(&tokens);
        vb_npy_close(&pixels);
        vb_clip_close(clip);
        vb_weights_close(&weights);
    }
}

static void bits_do_not_depend_on_level_threads_or_batch(void **state) {
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        char path[1024];
        vb_error err = {0};
        vb_weights weights;
        vb_npy pixels;
        float first[PICTURES * EMBED], out[PICTURES * EMBED];
        open_weights(&weights, m);
        assert_ok(vb_npy_open(&pixels, file_of(path, m, "pixels.npy"), &err));
        for (int level = VB_VNNI; level >= VB_SCALAR; level--) {
            vb_clip *clip;
            const float *data = pixels.tensor.data;
            const int threads = level ? level : 2, batch = level == VB_AVX512 ? 1 : PICTURES,
                      pictures = level ? PICTURES : 1; /* plain C is slow */
            vb_isa_limit((vb_isa)level);
            assert_ok(open_model(&clip, &weights.set, m, threads, &err));
            for (int i = 0; i < pictures; i += batch)
                assert_ok(vb_clip_encode_images(clip, data + i * vb_tensor_count(&pixels.tensor) / PICTURES,
                                                batch < pictures ? batch : pictures, out + i * EMBED, &err));
            if (level == VB_VNNI) memcpy(first, out, sizeof out);
            assert_memory_equal(first, out, (size_t)pictures * EMBED * sizeof *out);
            vb_clip_close(clip);
        }
        vb_isa_limit(VB_VNNI);
        vb_npy_close(&pixels);
        vb_weights_close(&weights);
    }
}

/* Whether the message names a tensor that begins as this one: of a block that lacks all of its tensors another may be named. */
static bool names_neighbour(const char *text, const char *name) {
    const char *found = strstr(text, "tensor ");
    size_t n = strcspn(name, "0123456789"), last = (size_t)(strrchr(name, '.') - name);
    if (last < n) n = last;
    return strstr(text, "the image tower's projection") || (found && !strncmp(found + strlen("tensor "), name, n));
}

static void what_is_missing_or_misshapen_is_named(void **state) {
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        vb_weights weights;
        if (!models[m].spoiled) continue;
        open_weights(&weights, m);
        vb_named_tensor items[600];
        assert_true(weights.set.count <= sizeof items / sizeof *items);
        for (size_t i = 0; i < weights.set.count; i++) {
            vb_tensor_set set = {weights.set.count - 1, items};
            vb_error err = {0};
            vb_clip *clip;
            const vb_named_tensor *changed = &weights.set.items[i];
            if (strncmp(changed->name, "visual.", 7) || strstr(changed->name, "num_batches_tracked")) continue;
            memcpy(items, weights.set.items, i * sizeof *items);
            memcpy(items + i, weights.set.items + i + 1, (weights.set.count - i - 1) * sizeof *items);
            if (!open_model(&clip, &set, m, 1, &err)) fail_msg("%s: %s is not missed", models[m].name, changed->name);
            assert_int_equal(err.code, VB_EMISMATCH);
            if (!names_neighbour(err.text, changed->name)) fail_msg("without %s: %s", changed->name, err.text);

            memcpy(items, weights.set.items, weights.set.count * sizeof *items);
            set.count = weights.set.count;
            items[i].tensor.shape[0]++;
            items[i].tensor.stride[0] = 0;
            if (!open_model(&clip, &set, m, 1, &err)) fail_msg("%s: a row more of %s", models[m].name, changed->name);
            if (!names_neighbour(err.text, changed->name)) fail_msg("a row more of %s: %s", changed->name, err.text);
        }
        vb_weights_close(&weights);
    }
}

static void sides_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static const struct {
        int model, side;
        const char *says;
    } cases[] = {
        {0, 31, "a resolution of 31, but a ConvNeXt halves its images to a 32th: expected 32 or more"},
        {6, 80, "a resolution of 80, but tensor visual.positional_embedding has rows for 4 x 4 cells of 16: expected 49 to 64"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        vb_weights weights;
        vb_clip *clip;
        open_weights(&weights, cases[i].model);
        const vb_clip_options options = {.family = vb_family_find(models[cases[i].model].family),
                                         .stated = {.resolution = cases[i].side},
                                         .threads = 1};
        assert_fails(vb_clip_open(&clip, &weights.set, &options, &err), VB_EMISMATCH, cases[i].says);
        vb_weights_close(&weights);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(towers_agree_with_their_libraries),
                                       cmocka_unit_test(bits_do_not_depend_on_level_threads_or_batch),
                                       cmocka_unit_test(what_is_missing_or_misshapen_is_named),
                                       cmocka_unit_test(sides_that_do_not_fit_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
