/* Tests of texts with blocks of convolutions around the transformer: MobileCLIP-S0. The expected numbers were computed with
 * Apple's own TextTransformer (ml-mobileclip, variant "mct") with the same weights, of its first mixer the branches, of its last
 * the folded form. */
#include "kernels/base/isa_internal.h"
#include "kernels/towers/clip.h"
#include "tests/unit/clip_reference.h"

enum { WIDTH = 16, VOCABULARY = 40, CONTEXT = 13, KERNEL = 11, EMBED = 8, TEXTS = 3 };

/* columns 0: a vector; `along`: a filter of rows x 1 x 1 x columns. */
static void add(ref_model *m, const char *prefix, const char *suffix, int rows, int columns, float offset, bool along) {
    if (along) ref_addf(m, offset, 1, 4, (const int64_t[]){rows, 1, 1, columns}, "%s%s", prefix, suffix);
    else ref_addf(m, offset, 1, columns ? 2 : 1, (const int64_t[]){rows, columns}, "%s%s", prefix, suffix);
}

static void add_linear(ref_model *m, const char *prefix, const char *suffix, int out, int in, bool pointwise) {
    char name[80];
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    ref_addf(m, 0, 1, pointwise ? 4 : 2, (const int64_t[]){out, in, 1, 1}, "%s.weight", name);
    add(m, name, ".bias", out, 0, 0, false);
}

static void add_norm(ref_model *m, const char *prefix, const char *suffix, bool statistics) {
    char name[80];
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    add(m, name, ".weight", WIDTH, 0, 1, false);
    add(m, name, ".bias", WIDTH, 0, 0, false);
    if (!statistics) return;
    add(m, name, ".running_mean", WIDTH, 0, 0, false);
    add(m, name, ".running_var", WIDTH, 0, 1, false);
}

static void add_mlp(ref_model *m, const char *prefix) {
    add(m, prefix, "mlp.conv.conv.weight", WIDTH, KERNEL, 0, true);
    add_norm(m, prefix, "mlp.conv.bn", true);
    add_linear(m, prefix, "mlp.fc1", 4 * WIDTH, WIDTH, true);
    add_linear(m, prefix, "mlp.fc2", WIDTH, 4 * WIDTH, true);
    add(m, prefix, "layer_scale.gamma", WIDTH, 0, 0, false);
}

static void make(ref_model *m) {
    *m = (ref_model){.random = 1, .uniform = true};
    add(m, "token_embedding.weight", "", VOCABULARY, WIDTH, 0, false);
    add(m, "positional_embedding", "", CONTEXT, WIDTH, 0, false);
    add(m, "transformer.mixers.0.", "token_mixer.mixer.conv_kxk.0.conv.weight", WIDTH, KERNEL, 0, true);
    add_norm(m, "transformer.mixers.0.", "token_mixer.mixer.conv_kxk.0.bn", true);
    add_norm(m, "transformer.mixers.0.", "token_mixer.mixer.identity", true);
    add_norm(m, "transformer.mixers.0.", "token_mixer.norm.identity", true);
    add(m, "transformer.mixers.0.", "token_mixer.layer_scale.gamma", WIDTH, 0, 0, false);
    add_mlp(m, "transformer.mixers.0.");
    add_norm(m, "transformer.resblocks.1.", "ln_1", false);
    add(m, "transformer.resblocks.1.", "attn.in_proj_weight", 3 * WIDTH, WIDTH, 0, false);
    add(m, "transformer.resblocks.1.", "attn.in_proj_bias", 3 * WIDTH, 0, 0, false);
    add_linear(m, "transformer.resblocks.1.", "attn.out_proj", WIDTH, WIDTH, false);
    add_norm(m, "transformer.resblocks.1.", "ln_2", false);
    add_linear(m, "transformer.resblocks.1.", "mlp.c_fc", 2 * WIDTH, WIDTH, false);
    add_linear(m, "transformer.resblocks.1.", "mlp.c_proj", WIDTH, 2 * WIDTH, false);
    add(m, "transformer.mixers.2.", "token_mixer.reparam_conv.weight", WIDTH, KERNEL, 0, true);
    add(m, "transformer.mixers.2.", "token_mixer.reparam_conv.bias", WIDTH, 0, 0, false);
    add_mlp(m, "transformer.mixers.2.");
    add_norm(m, "ln_final", "", false);
    add(m, "text_projection", "", WIDTH, EMBED, 0, false);
}

/* Tokens 0 stand behind the end token: they are seen. */
static void fill_tokens(int32_t tokens[TEXTS][CONTEXT]) {
    static const int lengths[TEXTS] = {3, 8, 13};
    memset(tokens, 0, TEXTS * sizeof *tokens);
    for (int i = 0; i < TEXTS; i++)
        for (int j = 0; j < lengths[i]; j++) tokens[i][j] = j + 1 == lengths[i] ? VOCABULARY - 1 : 1 + (7 * j + i) % 37;
}

static void embeddings_are_apples(void **state) {
    (void)state;
    static const double expected[TEXTS][EMBED] = {
        {-0.2951453, 0.3782011, 2.27243, 2.312021, -0.330302, -0.1537268, -0.5509087, 0.6721759},
        {-0.3458646, -0.2495765, 1.767457, 1.757366, -0.07670037, -0.4181023, -0.305518, 0.4571504},
        {0.170343, -1.100028, 0.8320017, 0.531626, 0.3090744, -0.4480217, -0.09951693, -1.424088}};
    vb_error err = {0};
    ref_model m;
    int32_t tokens[TEXTS][CONTEXT];
    float out[TEXTS * EMBED], again[TEXTS * EMBED];
    vb_clip *clips[2];
    make(&m);
    fill_tokens(tokens);
    for (int i = 0; i < 2; i++) {
        const vb_clip_options options = {.family = vb_family_find("mobileclip_s"),
                                         .stated = {.text.heads = 2},
                                         .threads = i ? 1 : 3};
        assert_ok(vb_clip_open(&clips[i], &m.set, &options, &err));
    }
    assert_ok(vb_clip_encode_texts(clips[0], tokens[0], TEXTS, out, &err));
    for (int i = 0; i < TEXTS; i++) assert_close(out + i * EMBED, expected[i], EMBED, 1e-5, "MobileCLIP-S0");
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int i = 0; i < TEXTS; i++) assert_ok(vb_clip_encode_texts(clips[1], tokens[i], 1, again + i * EMBED, &err));
        assert_memory_equal(out, again, sizeof out);
    }
    vb_isa_limit(VB_ISA_LEVELS - 1);
    const vb_program *program = vb_clip_text_program(clips[0]);
    assert_int_equal(vb_clip_describe(clips[0])->text_layers, 1);
    assert_int_equal(program->layers, 3);
    assert_true(!program->floats_a_token && program->floats_an_item >= (size_t)CONTEXT * WIDTH * 4);
    for (int i = 0; i < 2; i++) vb_clip_close(clips[i]);
    ref_free(&m);
}

static void a_block_that_is_missing_is_named(void **state) {
    (void)state;
    vb_error err = {0};
    ref_model m;
    vb_clip *clip;
    make(&m);
    const vb_clip_options options = {.family = vb_family_find("mobileclip_s"), .stated = {.text.heads = 2}, .threads = 1},
                          other = {.family = vb_family_find("mobileclip_l"), .stated = {.text.heads = 2}, .threads = 1};
    for (size_t i = 0; i < m.set.count; i++) {
        vb_named_tensor *item = &m.items[i];
        if (!strcmp(item->name, "transformer.mixers.2.token_mixer.reparam_conv.weight")) {
            item->tensor.shape[3]--;
            assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                         "transformer.mixers.2.token_mixer.reparam_conv.weight has shape");
            item->tensor.shape[3]++;
        }
    }
    /* filters and norms of twice as many rows as the block has channels */
    for (size_t i = 0; i < m.set.count; i++) {
        vb_tensor *tensor = &m.items[i].tensor;
        if (strncmp(m.items[i].name, "transformer.mixers.0.token_mixer.mixer.conv_kxk.0.", 50)) continue;
        tensor->shape[0] *= 2;
        tensor->stride[0] = 0;
    }
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH,
                 "tensor transformer.mixers.0.token_mixer.mixer.conv_kxk.0.conv.weight has 32 rows, expected 16");
    assert_fails(vb_clip_open(&clip, &m.set, &other, &err), VB_EMISMATCH, "transformer.resblocks.0.ln_1.weight is missing");
    ref_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(embeddings_are_apples),
                                       cmocka_unit_test(a_block_that_is_missing_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
