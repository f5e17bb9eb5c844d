/* Tests of every model family against the embeddings that the publishers' libraries compute, on the shared zoo of tiny models:
 * a row a model. Pixels and token ids are given, so that towers are tested alone; and the same bits come out at every instruction
 * set level, thread count and batch. */
#include <math.h>

#include "kernels/base/isa_internal.h"
#include "mpi/encode/facts.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/experiment_tables.h"
#include "shards/embeddings/npy.h"
#include "tests/unit/vb_test.h"

/* What is stated: enough where nothing beside the weights tells it. */
typedef struct zoo_model {
    const char *weights;                   /* below zoo/ */
    const char *truth;                     /* folder below zoo/ with the embeddings */
    const char *family, *tower;            /* that must be found */
    int image_activation, text_activation; /* vb_stated_activation */
    int image_heads, resolution;           /* 0: not stated */
    bool told;                             /* files beside the weights tell: nothing is stated */
} zoo_model;

enum { QUICK = VB_ACTIVATION_QUICK_GELU, GELU = VB_ACTIVATION_GELU, TANH = VB_ACTIVATION_GELU_TANH };
#define FIXTURE(name) "fixtures/" name "/model.safetensors", "fixtures/" name
#define REPOSITORY(name) "repos/" name, "repos/expected/" name
static const zoo_model models[] = {
    {FIXTURE("siglip"), "siglip", "ViT", GELU, GELU, 0, 0, false},
    {FIXTURE("siglip-384-floor"), "siglip", "ViT", GELU, GELU, 0, 40, false},
    {FIXTURE("siglip-hf"), "siglip", "ViT", TANH, TANH, 0, 0, true},
    {FIXTURE("siglip2"), "siglip", "ViT", GELU, TANH, 0, 0, false},
    {FIXTURE("siglip2-gopt"), "siglip", "ViT", TANH, TANH, 1, 0, false},
    {FIXTURE("clipa"), "clipa", "ViT", GELU, GELU, 0, 0, true},
    {FIXTURE("openvision"), "openvision", "ViT", GELU, TANH, 0, 0, true},
    {FIXTURE("coca"), "coca", "ViT", GELU, GELU, 0, 0, true},
    {FIXTURE("mobileclip2-l"), "mobileclip_l", "ViT", GELU, GELU, 0, 0, true},
    {REPOSITORY("oc-clipa"), "clipa", "ViT", 0, 0, 0, 0, true},
    {REPOSITORY("hf-siglip"), "siglip", "ViT", 0, 0, 0, 0, true},
    {REPOSITORY("hf-siglip2"), "siglip", "ViT", 0, 0, 0, 0, true},
    {REPOSITORY("oc-siglip"), "siglip", "ViT", 0, 0, 0, 0, true},
    {FIXTURE("pe-core-b"), "pe", "ViT", 0, 0, 0, 0, true},
    {FIXTURE("pe-core-g"), "pe", "ViT", 0, 0, 0, 0, true},
    {"fixtures/pe-core-meta/model.pt", "fixtures/pe-core-meta", "pe", "ViT", 0, 0, 0, 0, true},
    {REPOSITORY("oc-pe"), "pe", "ViT", 0, 0, 0, 0, true},
    {FIXTURE("eva01-g"), "eva", "ViT", 0, 0, 0, 0, true},
    {FIXTURE("eva02-b"), "eva", "ViT", 0, 0, 0, 0, true},
    {FIXTURE("eva02-e"), "eva", "ViT", 0, 0, 0, 0, true},
};

/* Of a file that need not be there: root is the zoo. */
static const char *zoo_path(char path[1024], const char *root, const char *folder, const char *name) {
    snprintf(path, 1024, "%s/%s%s%s", root, folder, *name ? "/" : "", name);
    return path;
}

static void state_facts(vb_stated_facts *stated, const zoo_model *model) {
    vb_error err = {0};
    assert_ok(vb_options_defaults(vb_experiment_tables_facts(), stated, &err));
    if (model->told) return;
    stated->image_activation = model->image_activation;
    stated->text_activation = model->text_activation;
    if (model->image_heads) stated->image_heads = model->image_heads;
    if (model->resolution) stated->resolution = model->resolution;
}

/* Each row: cosine at least 0.999999, no difference above 1e-5 of the largest value of all rows (1.3e-6 at most is
 * seen; an epsilon of another library makes 5e-5). */
static void compare(const char *what, const char *path, const float *found, int64_t n, int width) {
    vb_error err = {0};
    vb_npy npy;
    assert_ok(vb_npy_open(&npy, path, &err));
    assert_true(npy.tensor.shape[0] >= n && npy.tensor.shape[1] == width);
    double largest = 0;
    for (int64_t k = 0; k < n * width; k++) largest = fmax(largest, fabs((double)vb_tensor_at(&npy.tensor, k)));
    for (int64_t i = 0; i < n; i++) {
        double dot = 0, own = 0, other = 0, worst = 0;
        for (int64_t k = i * width; k < (i + 1) * width; k++) {
            const double x = found[k], y = (double)vb_tensor_at(&npy.tensor, k);
            dot += x * y, own += x * x, other += y * y;
            worst = fmax(worst, fabs(x - y));
        }
        if (!(dot / sqrt(own * other) >= 0.999999) || !(worst <= 1e-5 * largest))
            fail_msg("%s, row %lld: cosine %.9f, relative error %.2g", what, (long long)i, dot / sqrt(own * other),
                     worst / largest);
    }
    vb_npy_close(&npy);
}

typedef int encoder(const vb_clip *clip, const void *items, int64_t n, float *out, vb_error *err);
static int encode_images(const vb_clip *clip, const void *items, int64_t n, float *out, vb_error *err) {
    return vb_clip_encode_images(clip, items, n, out, err);
}
static int encode_texts(const vb_clip *clip, const void *items, int64_t n, float *out, vb_error *err) {
    return vb_clip_encode_texts(clip, items, n, out, err);
}

/* All items against the truth, and the same bits one by one at each level. */
static void encode(const zoo_model *model, const vb_clip *clip, const vb_clip *alone, encoder *run, const vb_npy *items,
                   const char *truth) {
    vb_error err = {0};
    const int64_t n = items->tensor.shape[0], width = vb_clip_describe(clip)->embed_dim,
                  size = vb_tensor_count(&items->tensor) / n * 4; /* floats and ids take 4 bytes */
    float *out = vb_array((size_t)(2 * n * width), sizeof *out, "embeddings", &err), *again = out + n * width;
    assert_true(out);
    assert_ok(run(clip, items->tensor.data, n, out, &err));
    compare(model->weights, truth, out, n, (int)width);
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int64_t i = 0; i < (level == VB_SCALAR ? 1 : n); i++)
            assert_ok(run(alone, (const char *)items->tensor.data + i * size, 1, again + i * width, &err));
        if (memcmp(out, again, (size_t)((level == VB_SCALAR ? 1 : n) * width) * sizeof *out))
            fail_msg("%s: other bits at level %s", model->weights, vb_isa_name((vb_isa)level));
    }
    vb_isa_limit(VB_ISA_LEVELS - 1);
    vb_free(out);
}

/* Texts that begin as the first one does, each twice: the bits of each by itself, which shares nothing. */
static void share(const zoo_model *model, const vb_clip *clip, const vb_clip *alone, const vb_npy *tokens) {
    enum { COMMON = 2 };
    vb_error err = {0};
    const int64_t n = tokens->tensor.shape[0], width = vb_clip_describe(clip)->embed_dim, length = tokens->tensor.shape[1];
    int32_t *mixed = vb_array((size_t)(2 * n * length), sizeof *mixed, "tokens", &err);
    float *out = vb_array((size_t)(3 * n * width), sizeof *out, "embeddings", &err), *again = out + 2 * n * width;
    assert_true(mixed && out);
    memcpy(mixed, tokens->tensor.data, (size_t)(n * length) * sizeof *mixed);
    for (int64_t i = 1; i < n; i++) memcpy(mixed + i * length, mixed, COMMON * sizeof *mixed);
    memcpy(mixed + n * length, mixed, (size_t)(n * length) * sizeof *mixed);
    assert_ok(vb_clip_encode_texts(clip, mixed, 2 * n, out, &err));
    for (int64_t i = 0; i < n; i++) assert_ok(vb_clip_encode_texts(alone, mixed + i * length, 1, again + i * width, &err));
    for (int twice = 0; twice < 2; twice++)
        if (memcmp(out + twice * n * width, again, (size_t)(n * width) * sizeof *out))
            fail_msg("%s: other bits where texts share their beginning", model->weights);
    vb_free(mixed), vb_free(out);
}

static void check_model(const zoo_model *model, const char *root) {
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_stated_facts stated;
    vb_facts facts;
    const vb_family *family;
    vb_clip *clips[2];
    vb_npy pixels, tokens;
    assert_ok(vb_weights_open(&weights, zoo_path(path, root, model->weights, ""), false, &err));
    assert_ok(vb_model_family(&weights, VB_FAMILY_FOUND, &family, &err));
    assert_string_equal(family->name, model->family);
    state_facts(&stated, model);
    assert_ok(vb_facts_of_towers(&facts, &stated, &weights, family, &err));
    for (int i = 0; i < 2; i++) {
        const vb_clip_options options = {.family = family, .stated = facts.towers, .threads = i ? 1 : 3};
        assert_ok(vb_clip_open(&clips[i], &weights.set, &options, &err));
    }
    assert_ok(vb_facts_of_pixels(&facts, &stated, &weights, family, vb_clip_describe(clips[0]), &err));
    assert_string_equal(vb_clip_describe(clips[0])->tower, model->tower);
    if (!vb_npy_open(&pixels, zoo_path(path, root, model->truth, "pixels.npy"), NULL)) {
        encode(model, clips[0], clips[1], encode_images, &pixels, zoo_path(path, root, model->truth, "image_embeddings.npy"));
        vb_npy_close(&pixels);
    }
    assert_ok(vb_npy_open(&tokens, zoo_path(path, root, model->truth, "tokens.npy"), &err));
    encode(model, clips[0], clips[1], encode_texts, &tokens, zoo_path(path, root, model->truth, "text_embeddings.npy"));
    share(model, clips[0], clips[1], &tokens);
    vb_npy_close(&tokens);
    for (int i = 0; i < 2; i++) vb_clip_close(clips[i]);
    vb_weights_close(&weights);
}

static void embeddings_are_the_libraries(void **state) {
    (void)state;
    char root[1024];
    shared_path(root, "zoo");
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) check_model(&models[i], root);
}

/* CoCa's texts that fill the context, that have a token 0 within, and that end just before the end: what is hidden from whom. By
 * ../shared/zoo/specs/coca.py. */
static void coca_hides_what_follows_a_zero(void **state) {
    (void)state;
    static const double expected[3][32] = {
        {-1.2904,    1.00552,    -1.199091,  2.676059,  1.455544,  -3.732817,   -1.273513, 1.491797,
         2.428349,   -0.4989495, -0.2501335, 1.825802,  0.4885632, -0.04394974, 3.466765,  -4.492143,
         -3.268199,  0.6702031,  -0.3697016, -2.164171, -1.481501, 1.40728,     -2.138961, 1.917141,
         0.04927489, 3.016731,   0.249765,   -1.184532, 0.6062485, -2.172712,   1.078694,  -1.821866},
        {-1.604794,  1.009279,  -0.8477292, 1.813724,   2.002906,  -3.015167, -1.566533, 1.124707,
         1.450855,   -0.480118, -1.099887,  0.925607,   0.8892234, 0.8255725, 3.779216,  -3.241535,
         -3.976012,  0.5612954, -0.7380511, -2.083322,  0.3964288, 2.738586,  -2.043659, 2.153573,
         -0.9175007, 2.515338,  0.466889,   -0.7239984, 0.8644469, -2.653272, 0.9246495, -2.87146},
        {-1.262198,  1.270522,   -1.028861,   2.666436,  1.549393,  -3.495289,   -1.238209, 1.465943,
         2.393847,   -0.3424941, -0.09633769, 2.101032,  0.4773452, -0.06625295, 3.665545,  -4.573578,
         -3.261397,  0.5444459,  -0.3026724,  -2.141906, -1.318259, 1.19406,     -2.381516, 1.771326,
         -0.1466349, 3.161166,   0.2738819,   -1.008824, 0.4388546, -2.392522,   0.9077203, -1.778061}};
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_clip *clip;
    int32_t tokens[3][76];
    float out[3 * 32];
    for (int i = 0; i < 76; i++) tokens[0][i] = tokens[1][i] = tokens[2][i] = 1 + i * 37 % 2000;
    tokens[1][5] = tokens[1][40] = tokens[2][75] = 0;
    memset(tokens[1] + 60, 0, 16 * sizeof **tokens);
    assert_ok(vb_weights_open(&weights, shared_path(path, "zoo/fixtures/coca/model.safetensors"), false, &err));
    const vb_clip_options options = {.family = vb_family_find("coca"), .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    assert_ok(vb_clip_encode_texts(clip, tokens[0], 3, out, &err));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 32; j++)
            if (!(fabs((double)out[i * 32 + j] - expected[i][j]) < 1e-5))
                fail_msg("text %d, column %d: %g, expected %g", i, j, (double)out[i * 32 + j], expected[i][j]);
    const vb_prompt_context context = {.vectors = out, .n_ctx = 1, .width = vb_clip_describe(clip)->text_width};
    assert_fails(vb_clip_encode_prompts(clip, tokens[0], &context, 1, out, &err), VB_EMISMATCH,
                 "learned contexts are for texts that are pooled at their end token");
    vb_clip_close(clip);
    const vb_clip_options uncausal = {.family = options.family, .stated = {.text_mask = VB_MASK_NONE}, .threads = 1};
    assert_fails(vb_clip_open(&clip, &weights.set, &uncausal, &err), VB_EMISMATCH, "texts of family coca are causal");
    vb_weights_close(&weights);
}

/* ViT-SO400M-16-SigLIP-i18n-256 has no projection of texts: as if it were the identity, exactly. */
static void texts_may_be_unprojected(void **state) {
    (void)state;
    enum { WIDTH = 128, MOST = 256, TEXTS = 2 };
    static float identity[WIDTH * WIDTH], zero[WIDTH];
    char path[1024];
    vb_error err = {0};
    vb_weights weights;
    vb_npy tokens;
    vb_named_tensor items[2][MOST];
    vb_tensor_set sets[2] = {{0, items[0]}, {0, items[1]}};
    float out[2][TEXTS * WIDTH];
    assert_ok(vb_weights_open(&weights, shared_path(path, "zoo/fixtures/siglip/model.safetensors"), false, &err));
    assert_ok(vb_npy_open(&tokens, shared_path(path, "zoo/fixtures/siglip/tokens.npy"), &err));
    for (int i = 0; i < WIDTH; i++) identity[i * WIDTH + i] = 1;
    for (size_t i = 0; i < weights.set.count; i++) {
        vb_named_tensor item = weights.set.items[i];
        if (!strncmp(item.name, "visual.", strlen("visual."))) continue;
        const bool projection = !strncmp(item.name, "text_projection.", strlen("text_projection."));
        if (projection) {
            item.tensor = item.tensor.ndim == 2 ?
                              (vb_tensor){.dtype = VB_F32, .ndim = 2, .shape = {WIDTH, WIDTH}, .data = identity} :
                              (vb_tensor){.dtype = VB_F32, .ndim = 1, .shape = {WIDTH}, .data = zero};
            vb_tensor_pack_strides(&item.tensor);
        } else sets[1].items[sets[1].count++] = item;
        sets[0].items[sets[0].count++] = item;
        assert_true(sets[0].count < MOST);
    }
    assert_int_equal(sets[0].count, sets[1].count + 2);
    for (int i = 0; i < 2; i++) {
        vb_clip *clip;
        const vb_clip_options options = {.family = vb_family_find("siglip"), .threads = 1};
        assert_ok(vb_clip_open(&clip, &sets[i], &options, &err));
        assert_int_equal(vb_clip_describe(clip)->text_width, WIDTH);
        assert_int_equal(vb_clip_describe(clip)->embed_dim, WIDTH);
        assert_ok(vb_clip_encode_texts(clip, tokens.tensor.data, TEXTS, out[i], &err));
        vb_clip_close(clip);
    }
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    vb_clip *clip;
    const vb_clip_options other = {.family = vb_family_find("clip"), .threads = 1};
    assert_fails(vb_clip_open(&clip, &sets[1], &other, &err), VB_EMISMATCH, "text_projection");
    vb_npy_close(&tokens);
    vb_weights_close(&weights);
}

/* The image towers of CLIPA and OpenVision have the same tensors: what only the texts would tell must be stated. */
static void families_alike_must_be_stated(void **state) {
    (void)state;
    vb_error err = {0};
    const vb_family *family;
    vb_named_tensor items[] = {{"visual.class_embedding", {.ndim = 1, .shape = {4}}},
                               {"visual.conv1.weight", {.ndim = 4, .shape = {4, 3, 2, 2}}},
                               {"visual.transformer.resblocks.0.ln_1.weight", {.ndim = 1, .shape = {4}}}};
    char file[] = "file";
    const vb_weights weights = {.set = {3, items}, .naming = "OpenAI", .where = {.file = file}};
    assert_fails(vb_model_family(&weights, VB_FAMILY_FOUND, &family, &err), VB_ECONFIG,
                 "of one of the families clipa, openvision, which nothing in them tells apart: state family");
    assert_ok(vb_model_family(&weights, vb_family_index("openvision"), &family, &err));
    assert_string_equal(family->name, "openvision");
    const vb_weights told = {.set = {3, items}, .naming = "OpenAI", .family_hint = "clipa", .where = {.file = file}};
    assert_ok(vb_model_family(&told, vb_family_index("openvision"), &family, &err));
    assert_fails(vb_model_family(&told, vb_family_index("siglip"), &family, &err), VB_EMISMATCH, "write family: clipa");
}

/* Widths whose heads are not 64 wide, as published. */
static void heads_follow_from_widths(void **state) {
    (void)state;
    /* open_clip 3.3's configurations (width over head_width; heads of texts), timm's of the towers that they name, and
     * transformers' of naflex and chinese_clip. */
    static const struct {
        const char *family;
        int width, heads, text_width, text_heads; /* 0: none was published that is not in another row */
    } cases[] = {{"siglip", 768, 12, 1024, 16},
                 {"siglip", 1152, 16, 1152, 16},
                 {"siglip", 1536, 16, 0, 0},
                 {"clipa", 1024, 16, 768, 12},
                 {"clipa", 1280, 16, 1024, 16},
                 {"clipa", 1664, 16, 1280, 20},
                 {"openvision", 192, 3, 0, 0},
                 {"openvision", 1152, 16, 0, 0},
                 {"openvision", 1280, 16, 0, 0},
                 {"eva", 1408, 16, 1024, 16},
                 {"eva", 1792, 16, 1280, 20},
                 {"eva", 1024, 16, 768, 12},
                 {"pe", 192, 3, 512, 8},
                 {"pe", 1024, 16, 1024, 16},
                 {"pe", 1536, 16, 1280, 20},
                 {"vitamin", 384, 6, 384, 6},
                 {"vitamin", 1152, 16, 1152, 16},
                 {"mobileclip_b", 768, 12, 512, 8},
                 {"mobileclip_l", 1024, 16, 768, 12},
                 {"coca", 1024, 16, 768, 12},
                 {"naflex", 1152, 16, 1152, 16},
                 {"roberta", 1280, 16, 1024, 16},
                 {"chinese_clip", 1280, 16, 1024, 16},
                 {"nllb_siglip", 1152, 16, 1024, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const vb_family *family = vb_family_find(cases[i].family);
        assert_int_equal(vb_family_heads(family->head_widths, cases[i].width), cases[i].heads);
        if (cases[i].text_width)
            assert_int_equal(vb_family_heads(family->text_head_widths, cases[i].text_width), cases[i].text_heads);
    }
}

/* open_clip's roberta-ViT-B-32 is the one of its family with QuickGELU, and the one of RoBERTa's vocabulary. */
static void a_vocabulary_tells_quick_gelu(void **state) {
    (void)state;
    static const struct {
        int rows;
        vb_activation image;
    } cases[] = {{50265, VB_QUICK_GELU}, {250002, VB_GELU}};
    char folder[] = "no folder", file[] = "file";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_named_tensor tensors[] = {{.name = "token_embedding.weight", .tensor = {.ndim = 2, .shape = {cases[i].rows, 8}}},
                                     {.name = "visual.proj", .tensor = {.ndim = 2, .shape = {8, 8}}}};
        const vb_weights weights = {.set = {2, tensors},
                                    .naming = "open_clip",
                                    .container = "safetensors",
                                    .where = {.folder = folder, .file = file}};
        vb_error err = {0};
        vb_stated_facts stated;
        vb_facts facts;
        assert_ok(vb_options_defaults(vb_experiment_tables_facts(), &stated, &err));
        assert_ok(vb_facts_of_towers(&facts, &stated, &weights, vb_family_find("roberta"), &err));
        assert_int_equal(facts.towers.image.activation, cases[i].image);
        assert_int_equal(facts.towers.text.activation, VB_GELU);
    }
}

/* ConvNeXt XXL has another epsilon than its family: what is computed stands in the key, not what is stated. */
static void keys_tell_epsilons(void **state) {
    (void)state;
    const vb_family *family = vb_family_find("convnext");
    const vb_clip_info usual = {.patch = 4, .image_width = 384, .image_epsilon = 1e-5f},
                       other = {.patch = 4, .image_width = 384, .image_epsilon = 1e-6f};
    const vb_facts untold = {0}, told = {.towers.image.epsilon = 1e-5f}, stated = {.towers.image.epsilon = 1e-6f};
    char keys[3][160];
    vb_facts_key(&untold, family, &usual, false, keys[0], sizeof keys[0]);
    vb_facts_key(&told, family, &usual, false, keys[1], sizeof keys[1]);
    vb_facts_key(&stated, family, &other, false, keys[2], sizeof keys[2]);
    assert_string_equal(keys[0], keys[1]);
    assert_string_not_equal(keys[0], keys[2]);
}

/* What a model has no use for is not taken in silence. */
static void statements_are_used_or_refused(void **state) {
    (void)state;
    char file[] = "file";
    vb_error err = {0};
    vb_stated_facts none, stated;
    vb_facts facts;
    const vb_weights weights = {.where = {.file = file}};
    const vb_family *family = vb_family_find("clip");
    const vb_clip_info resnet = {.tower = "ModifiedResNet",
                                 .resolution = 32,
                                 .image_width = 8,
                                 .context_length = 9,
                                 .end_token = 5},
                       gated = {.tower = "ViT", .resolution = 32, .patch = 8, .image_gated = true, .image_epsilon = 1e-6f},
                       last = {.context_length = 9, .end_token = VB_NO_END_TOKEN};
    assert_ok(vb_options_defaults(vb_experiment_tables_facts(), &none, &err));
#define REFUSES(info, field, value, says)                                                                                        \
    do {                                                                                                                         \
        facts = (vb_facts){0};                                                                                                   \
        stated = none;                                                                                                           \
        assert_ok(vb_facts_of_pixels(&facts, &stated, &weights, family, &info, &err));                                           \
        stated.field = value;                                                                                                    \
        assert_fails(vb_facts_of_pixels(&facts, &stated, &weights, family, &info, &err), VB_ECONFIG, says);                      \
    } while (0)
    REFUSES(resnet, image_activation, GELU, "file: image_activation is stated, but the image tower has one of its own");
    REFUSES(gated, image_activation, GELU, "image_activation is stated");
    REFUSES(resnet, image_epsilon, 1e-6, "image_epsilon is stated, but the image tower has no LayerNorm");
    REFUSES(last, end_token, 7, "end_token is stated, but texts are not pooled at an end token");
    stated = none;
    stated.activation = GELU; /* of both towers: the text's has use for it */
    stated.end_token = 5;
    assert_ok(vb_facts_of_pixels(&facts, &stated, &weights, family, &resnet, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeddings_are_the_libraries), cmocka_unit_test(coca_hides_what_follows_a_zero),
        cmocka_unit_test(texts_may_be_unprojected),     cmocka_unit_test(families_alike_must_be_stated),
        cmocka_unit_test(keys_tell_epsilons),           cmocka_unit_test(statements_are_used_or_refused),
        cmocka_unit_test(heads_follow_from_widths),     cmocka_unit_test(a_vocabulary_tells_quick_gelu)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
