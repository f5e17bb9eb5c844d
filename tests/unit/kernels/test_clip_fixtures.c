/* Tests of the encoders against the embeddings that the published code computes, on the shared fixtures. */
#include "tests/unit/clip_reference.h"
#include "shards/weights/coop.h"
#include "shards/embeddings/npy.h"
#include "shards/weights/weights.h"

static void compare_rows(const char *name, const float *found, int64_t n, int width) {
    char path[1024];
    vb_error err = {0};
    vb_npy expected;
    assert_ok(vb_npy_open(&expected, shared_path(path, name), &err));
    assert_true(expected.tensor.shape[0] == n && expected.tensor.shape[1] == width);
    double row[1024];
    for (int64_t i = 0; i < n; i++) {
        for (int j = 0; j < width; j++) row[j] = vb_tensor_at(&expected.tensor, i * width + j);
        assert_close(found + i * width, row, width, 1e-4, name);
    }
    vb_npy_close(&expected);
}

static void compare_fixture(const char *folder, const char *file, const char *family, int resolution, const char *tokens_name) {
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_npy pixels, tokens;
    snprintf(path, sizeof path, "fixtures/%s/%s", folder, file);
    char full[1024];
    assert_ok(vb_weights_open(&weights, shared_path(full, path), false, &err));
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_find(family), .threads = 2};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    assert_int_equal(vb_clip_describe(clip)->resolution, resolution);
    snprintf(path, sizeof path, "fixtures/preprocessed_%d.npy", resolution);
    assert_ok(vb_npy_open(&pixels, shared_path(full, path), &err));
    assert_ok(vb_npy_open(&tokens, shared_path(full, tokens_name), &err));
    float out[10 * 32];
    assert_ok(vb_clip_encode_images(clip, pixels.tensor.data, pixels.tensor.shape[0], out, &err));
    snprintf(path, sizeof path, "fixtures/%s/image_embeddings.npy", folder);
    compare_rows(path, out, pixels.tensor.shape[0], 32);
    assert_ok(vb_clip_encode_texts(clip, tokens.tensor.data, tokens.tensor.shape[0], out, &err));
    snprintf(path, sizeof path, "fixtures/%s/text_embeddings.npy", folder);
    compare_rows(path, out, tokens.tensor.shape[0], 32);
    vb_npy_close(&tokens);
    vb_npy_close(&pixels);
    vb_clip_close(clip);
    vb_weights_close(&weights);
}

static void the_vit_in_all_its_containers(void **state) {
    (void)state;
    static const char *const files[] = {"model.safetensors", "huggingface.safetensors", "state_dict.pt", "torchscript.pt"};
    for (int i = 0; i < 4; i++) compare_fixture("clip-vit", files[i], "clip", 32, "fixtures/tokens.npy");
}
static void the_resnet(void **state) {
    (void)state, compare_fixture("clip-rn", "model.safetensors", "clip", 64, "fixtures/tokens.npy");
}
static void the_slip_vit(void **state) {
    (void)state, compare_fixture("slip-vit", "checkpoint.pt", "slip", 32, "fixtures/tokens.npy");
}
static void the_declip_vit(void **state) {
    (void)state;
    compare_fixture("declip-vit", "checkpoint.pth.tar", "declip", 32, "fixtures/tokens_declip.npy");
}

/* Tokens of "X X X X NAME." by OpenAI's tokenizer for apple, aquarium fish, sweet pepper, lawn mower, willow tree, T-shirt. */
static void coop_prompts(void **state) {
    (void)state;
    static const int32_t names[6][3] = {{3055}, {16814, 2759}, {2418, 8253}, {11024, 30895}, {15665, 2677}, {339, 268, 2523}};
    static const int lengths[6] = {1, 2, 2, 2, 2, 3};
    static const char *const files[] = {"fixtures/coop/text_embeddings_end.npy", "fixtures/coop/text_embeddings_middle.npy",
                                        "fixtures/coop/text_embeddings_front.npy"};
    char path[1024];
    vb_error err = {0};
    vb_coop coop;
    vb_weights weights;
    vb_clip *clip;
    assert_ok(vb_coop_read(&coop, shared_path(path, "fixtures/coop/model.pth.tar-50"), &err));
    assert_ok(vb_weights_open(&weights, shared_path(path, "fixtures/clip-vit/model.safetensors"), false, &err));
    const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    int32_t tokens[6 * 77] = {0};
    for (int i = 0; i < 6; i++) {
        int32_t *t = tokens + i * 77;
        t[0] = 49406;
        for (int k = 1; k <= 4; k++) t[k] = 343;
        memcpy(t + 5, names[i], (size_t)lengths[i] * sizeof *t);
        t[5 + lengths[i]] = 269;
        t[6 + lengths[i]] = 49407;
    }
    for (int position = 0; position < 3; position++) {
        float out[6 * 32];
        const vb_prompt_context context = {.vectors = coop.context,
                                           .n_ctx = coop.contexts,
                                           .width = coop.width,
                                           .class_specific = coop.classes > 0,
                                           .position = (vb_prompt_position)position,
                                           .name_lengths = lengths};
        assert_ok(vb_clip_encode_prompts(clip, tokens, &context, 6, out, &err));
        compare_rows(files[position], out, 6, 32);
    }
    vb_clip_close(clip);
    vb_weights_close(&weights);
    vb_coop_free(&coop);
}

/* Class names 0, 3, 41 and 99 of CIFAR-100 in "a photo of a {}."; the stored embeddings are normalised. */
static void a_trained_resnet_clip(void **state) {
    (void)state;
    static const int classes[4] = {0, 3, 41, 99}, words[4] = {22874, 10159, 15931, 14607};
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_clip *clip;
    vb_npy expected;
    assert_ok(vb_weights_open(&weights, shared_path(path, "models/cifar-tiny-rn.safetensors"), false, &err));
    assert_ok(vb_npy_open(&expected, shared_path(path, "models/cifar-tiny-rn.text_embeddings.npy"), &err));
    const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    int32_t tokens[4 * 77] = {0};
    for (int i = 0; i < 4; i++)
        memcpy(tokens + i * 77, (const int32_t[]){49406, 320, 1125, 539, 320, words[i], 269, 49407}, 8 * sizeof *tokens);
    float out[4 * 128];
    double row[128];
    assert_ok(vb_clip_encode_texts(clip, tokens, 4, out, &err));
    for (int i = 0; i < 4; i++) {
        double norm = 0;
        for (int j = 0; j < 128; j++) norm += (double)out[i * 128 + j] * out[i * 128 + j];
        for (int j = 0; j < 128; j++) {
            out[i * 128 + j] = (float)(out[i * 128 + j] / sqrt(norm));
            row[j] = vb_tensor_at(&expected.tensor, classes[i] * 128 + j);
        }
        assert_close(out + i * 128, row, 128, 1e-4, "class name");
    }
    vb_npy_close(&expected);
    vb_clip_close(clip);
    vb_weights_close(&weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_vit_in_all_its_containers),
                                       cmocka_unit_test(the_resnet),
                                       cmocka_unit_test(the_slip_vit),
                                       cmocka_unit_test(the_declip_vit),
                                       cmocka_unit_test(coop_prompts),
                                       cmocka_unit_test(a_trained_resnet_clip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
