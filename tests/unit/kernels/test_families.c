/* Tests of families beyond OpenAI's CLIP that the rows of test_zoo do not hold: against the embeddings that the published
 * libraries compute for tiny models, at every instruction set level, thread count and batch; what is refused; and sizes of
 * published models. */
#include <sys/resource.h>

#include "tests/unit/clip_reference.h"
#include "tests/unit/scratch.h"
#include "kernels/base/isa_internal.h"
#include "shards/embeddings/npy.h"
#include "shards/weights/weights.h"

enum { EMBED = 32, MOST = 16 };

typedef struct zoo_case {
    const char *name, *file, *pixels_of, *family;
    vb_activation activation; /* VB_LINEAR: the family's */
    int end_token;
} zoo_case;

static const vb_tensor *open_zoo_array(vb_npy *array, const char *folder, const char *name) {
    char path[1024], part[256];
    vb_error err = {0};
    snprintf(part, sizeof part, "zoo/fixtures/%s/%s.npy", folder, name);
    assert_ok(vb_npy_open(array, shared_path(path, part), &err));
    return &array->tensor;
}

static void compare(const zoo_case *of, const char *name, const float *found, int64_t n) {
    vb_npy expected;
    const vb_tensor *rows = open_zoo_array(&expected, of->name, name);
    assert_true(rows->shape[0] >= n && rows->shape[1] == EMBED);
    double row[EMBED];
    for (int64_t i = 0; i < n; i++) {
        for (int j = 0; j < EMBED; j++) row[j] = vb_tensor_at(rows, i * EMBED + j);
        assert_close(found + i * EMBED, row, EMBED, 1e-5, of->name);
    }
    vb_npy_close(&expected);
}

static vb_clip *open_zoo_model(vb_weights *weights, const zoo_case *of, int threads) {
    char path[1024], part[256];
    vb_error err = {0};
    snprintf(part, sizeof part, "zoo/fixtures/%s/%s", of->name, of->file);
    assert_ok(vb_weights_open(weights, shared_path(path, part), false, &err));
    assert_non_null(weights->family_hint);
    assert_string_equal(weights->family_hint, of->family);
    if (weights->architecture) fail_msg("%s is refused as %s", of->name, weights->architecture->name);
    const bool known = of->activation != VB_LINEAR;
    const vb_tower_facts tower = {.activation_known = known, .activation = of->activation};
    const vb_clip_options options = {.family = vb_family_find(of->family),
                                     .stated = {.image = tower, .text = tower, .end_token = of->end_token},
                                     .threads = threads};
    vb_clip *clip;
    assert_ok(vb_clip_open(&clip, &weights->set, &options, &err));
    return clip;
}

static void check_zoo_model(const zoo_case *of) {
    vb_error err = {0};
    vb_npy pixels, tokens;
    float images[MOST * EMBED], texts[MOST * EMBED], again[EMBED];
    open_zoo_array(&pixels, of->pixels_of, "pixels");
    open_zoo_array(&tokens, of->name, "tokens");
    const int64_t n = pixels.tensor.shape[0], t = tokens.tensor.shape[0], picture = pixels.tensor.stride[0];
    assert_true(n <= MOST && t <= MOST && tokens.tensor.dtype == VB_I32);
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++)
        for (int threads = 1; threads <= 2; threads++) {
            vb_isa_limit((vb_isa)level);
            vb_weights weights;
            vb_clip *clip = open_zoo_model(&weights, of, threads);
            if (level == VB_SCALAR && threads == 1) {
                assert_ok(vb_clip_encode_images(clip, pixels.tensor.data, n, images, &err));
                assert_ok(vb_clip_encode_texts(clip, tokens.tensor.data, t, texts, &err));
                compare(of, "image_embeddings", images, n);
                compare(of, "text_embeddings", texts, t);
            }
            for (int64_t i = 0; i < n; i++) {
                assert_ok(vb_clip_encode_images(clip, (const float *)pixels.tensor.data + i * picture, 1, again, &err));
                assert_memory_equal(again, images + i * EMBED, sizeof again);
            }
            for (int64_t i = 0; i < t; i += 3) {
                const int32_t *row = (const int32_t *)tokens.tensor.data + i * tokens.tensor.shape[1];
                assert_ok(vb_clip_encode_texts(clip, row, 1, again, &err));
                assert_memory_equal(again, texts + i * EMBED, sizeof again);
            }
            vb_clip_close(clip);
            vb_weights_close(&weights);
        }
    vb_isa_limit(VB_VNNI);
    vb_npy_close(&tokens);
    vb_npy_close(&pixels);
}

static void texts_of_bert_s_kind(void **state) {
    (void)state;
    static const char *const names[][2] = {{"xlm-roberta", "roberta"},
                                           {"altclip", "altclip"},
                                           {"chinese-clip", "chinese_clip"},
                                           {"nllb", "nllb"}};
    for (int i = 0; i < 4; i++)
        check_zoo_model(&(zoo_case){names[i][0], "model.safetensors", names[i][0], names[i][1], VB_LINEAR, 0});
}

/* BAAI's names, whose pixels are another fixture's: what test_zoo has no place for. */
static void eva_in_its_publishers_names(void **state) {
    (void)state;
    check_zoo_model(&(zoo_case){"eva02-b-baai", "model.pt", "eva02-b", "eva", VB_LINEAR, 0});
}

/* An image tower of EVA-01's kind, or of EVA-02 B's, under canonical names. */
static void make_eva(ref_model *m, bool gated, int hidden) {
    enum { WIDTH = 64, PATCH = 4 };
    static const char *const names[] = {"visual.transformer.resblocks.0.ln_1", "visual.transformer.resblocks.0.ln_2",
                                        "visual.transformer.resblocks.0.attn.norm", "visual.ln_post"};
    *m = (ref_model){.dtypes = {VB_F32, VB_F16, VB_F32}, .hollow = true};
#define BLOCK "visual.transformer.resblocks.0."
    ref_add(m, "visual.class_embedding", 0, 0, REF_SHAPE(WIDTH));
    ref_add(m, "visual.positional_embedding", 0, 0, REF_SHAPE(5, WIDTH));
    ref_add(m, "visual.conv1.weight", 0, 0, REF_SHAPE(WIDTH, 3, PATCH, PATCH));
    ref_add(m, "visual.conv1.bias", 0, 0, REF_SHAPE(WIDTH));
    for (int i = 0; i < 4; i++)
        if (gated || i != 2) ref_add_norm(m, names[i], WIDTH);
    if (gated) {
        ref_add(m, BLOCK "attn.q_proj.weight", 0, 0, REF_SHAPE(WIDTH, WIDTH));
        ref_add(m, BLOCK "attn.k_proj.weight", 0, 0, REF_SHAPE(WIDTH, WIDTH));
        ref_add(m, BLOCK "attn.v_proj.weight", 0, 0, REF_SHAPE(WIDTH, WIDTH));
        ref_add_linear(m, BLOCK "mlp.c_gate", hidden, WIDTH);
        ref_add_norm(m, BLOCK "mlp.norm", hidden);
    } else ref_add(m, BLOCK "attn.in_proj_weight", 0, 0, REF_SHAPE(3 * WIDTH, WIDTH));
    ref_add(m, BLOCK "attn.q_proj.bias", 0, 0, REF_SHAPE(WIDTH));
    ref_add(m, BLOCK "attn.v_proj.bias", 0, 0, REF_SHAPE(WIDTH));
    ref_add_linear(m, BLOCK "attn.out_proj", WIDTH, WIDTH);
    ref_add_linear(m, BLOCK "mlp.c_fc", hidden, WIDTH);
    ref_add_linear(m, BLOCK "mlp.c_proj", WIDTH, hidden);
    ref_add_linear(m, "visual.proj", EMBED, WIDTH);
}

static int open_eva(ref_model *m, vb_clip **clip, int heads, vb_error *err) {
    const vb_clip_options options = {.family = vb_family_find("eva"), .stated.image.heads = heads, .threads = 1};
    return vb_clip_open(clip, &m->set, &options, err);
}

static void eva_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        bool gated;
        int hidden, heads;
        const char *more, *says;
    } cases[] = {{false, 256, 0, NULL,
                  "mlp.c_fc.weight has 256 rows at width 64: expected 4.36 times the width (EVA-01 g, norms first) "
                  "or 8.57 times"},
                 {true, 170, 32, NULL, "heads of 2 do not split into pairs for rows and pairs for columns"},
                 {true, 170, 0, BLOCK "attn.k_proj.bias",
                  "tensor " BLOCK "attn.k_proj.bias is not part of a ViT model of family eva"},
                 {false, 279, 0, BLOCK "attn.in_proj_bias", "attn.in_proj_bias is not part of a ViT model of family eva"},
                 {false, 279, 0, BLOCK "attn.norm.weight", "attn.norm.weight is not part of a ViT model of family eva"},
                 {false, 279, 0, "visual.ln_pre.weight", "but family eva has no layer norm before the transformer"}};
    vb_error err = {0};
    ref_model m;
    vb_clip *clip;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_eva(&m, cases[i].gated, cases[i].hidden);
        if (cases[i].more) ref_add(&m, cases[i].more, 0, 0, REF_SHAPE(64));
        assert_fails(open_eva(&m, &clip, cases[i].heads, &err), VB_EMISMATCH, cases[i].says);
        ref_free(&m);
    }
    /* the same tensors are fine where none is too many, and tell their family; angles in the file are not read */
    for (int gated = 0; gated < 2; gated++) {
        make_eva(&m, gated, 279);
        ref_add(&m, "visual.rope.freqs_cos", 0, 0, REF_SHAPE(4, 64));
        assert_ptr_equal(vb_family_by_signs(&m.set), vb_family_find("eva"));
        assert_ok(open_eva(&m, &clip, 0, &err));
        assert_int_equal(vb_clip_describe(clip)->image_gated, gated);
        vb_clip_close(clip);
        ref_free(&m);
    }
}

/* A ConvNeXt tower of one block a stage. */
static void make_convnext(ref_model *m, int first) {
    const int widths[] = {first, 2, 2, 2};
    *m = (ref_model){.dtypes = {VB_F32, VB_F16, VB_F32}, .hollow = true};
    for (int s = 0; s < 4; s++) {
        char name[64];
        const int width = widths[s], in = s ? widths[s - 1] : 3, kernel = s ? 2 : 4;
        snprintf(name, sizeof name, s ? "visual.trunk.stages.%d.downsample.0" : "visual.trunk.stem.1", s);
        ref_add_norm(m, name, s ? in : width);
        snprintf(name, sizeof name, s ? "visual.trunk.stages.%d.downsample.1" : "visual.trunk.stem.0", s);
        ref_addf(m, 0, 0, REF_SHAPE(width, in, kernel, kernel), "%s.weight", name);
        ref_addf(m, 0, 0, REF_SHAPE(width), "%s.bias", name);
        snprintf(name, sizeof name, "visual.trunk.stages.%d.blocks.0", s);
        ref_addf(m, 0, 0, REF_SHAPE(width, 1, 7, 7), "%s.conv_dw.weight", name);
        ref_addf(m, 0, 0, REF_SHAPE(width), "%s.conv_dw.bias", name);
        ref_addf(m, 0, 0, REF_SHAPE(width), "%s.gamma", name);
        snprintf(name, sizeof name, "visual.trunk.stages.%d.blocks.0.norm", s);
        ref_add_norm(m, name, width);
        snprintf(name, sizeof name, "visual.trunk.stages.%d.blocks.0.mlp.fc1", s);
        ref_add_linear(m, name, 4, width);
        snprintf(name, sizeof name, "visual.trunk.stages.%d.blocks.0.mlp.fc2", s);
        ref_add_linear(m, name, width, 4);
    }
    ref_add_norm(m, "visual.trunk.head.norm", 2);
    ref_add(m, "visual.head.proj.weight", 0, 0, REF_SHAPE(EMBED, 2));
}

/* timm's convnext_xxlarge, whose first stage has 384 channels, has norm_eps 1e-5, the others 1e-6; what is stated goes first. */
static void convnext_has_the_epsilon_of_its_width(void **state) {
    (void)state;
    static const struct {
        int first;
        float stated, epsilon;
    } cases[] = {{384, 0, 1e-5f}, {384, 1e-6f, 1e-6f}, {8, 0, 1e-6f}, {192, 0, 1e-6f}, {8, 1e-5f, 1e-5f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        ref_model m;
        vb_clip *clip;
        make_convnext(&m, cases[i].first);
        const vb_clip_options options = {.family = vb_family_find("convnext"),
                                         .stated.image.epsilon = cases[i].stated,
                                         .threads = 1};
        assert_ok(vb_clip_open(&clip, &m.set, &options, &err));
        assert_true(vb_clip_describe(clip)->image_epsilon == cases[i].epsilon);
        vb_clip_close(clip);
        ref_free(&m);
    }
}

/* Plain towers, whose texts end with 2. */
static void metaclip_2(void **state) {
    (void)state;
    check_zoo_model(&(zoo_case){"metaclip2", "model.safetensors", "metaclip2", "clip", VB_GELU, 2});
}

/* A text tower of XLM-V's vocabulary, 1.8 GB as fp16, in a file with nothing but holes behind its header. */
static size_t write_hollow_file(const char *path) {
    static const struct {
        const char *name;
        int64_t rows, columns;
    } tensors[] = {{"ln_final.bias", 1024, 0},
                   {"ln_final.weight", 1024, 0},
                   {"positional_embedding", 77, 1024},
                   {"text_projection", 1024, EMBED},
                   {"token_embedding.weight", 901629, 1024},
                   {"transformer.resblocks.0.attn.in_proj_bias", 3072, 0},
                   {"transformer.resblocks.0.attn.in_proj_weight", 3072, 1024},
                   {"transformer.resblocks.0.attn.out_proj.bias", 1024, 0},
                   {"transformer.resblocks.0.attn.out_proj.weight", 1024, 1024},
                   {"transformer.resblocks.0.ln_1.bias", 1024, 0},
                   {"transformer.resblocks.0.ln_1.weight", 1024, 0},
                   {"transformer.resblocks.0.ln_2.bias", 1024, 0},
                   {"transformer.resblocks.0.ln_2.weight", 1024, 0},
                   {"transformer.resblocks.0.mlp.c_fc.bias", 8, 0},
                   {"transformer.resblocks.0.mlp.c_fc.weight", 8, 1024},
                   {"transformer.resblocks.0.mlp.c_proj.bias", 1024, 0},
                   {"transformer.resblocks.0.mlp.c_proj.weight", 1024, 8}};
    char header[4096];
    size_t n = 8, at = 0;
    header[n++] = '{';
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const int64_t rows = tensors[i].rows, columns = tensors[i].columns;
        const size_t size = 2 * (size_t)rows * (size_t)(columns ? columns : 1);
        char shape[32];
        snprintf(shape, sizeof shape, columns ? "%lld,%lld" : "%lld", (long long)rows, (long long)columns);
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", i ? "," : "",
                              tensors[i].name, shape, at, at + size);
        at += size;
    }
    header[n++] = '}';
    for (int i = 0; i < 8; i++) header[i] = (char)((n - 8) >> 8 * i);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(header, 1, n, file), n);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), (off_t)(n + at)), 0);
    fclose(file);
    return n + at;
}

static long peak_of_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss; /* KiB */
}

static void an_embedding_of_gigabytes_stays_in_its_file(void **state) {
    (void)state;
    vb_error err = {0};
    vb_weights weights;
    vb_clip *clip;
    char place[1024];
    const char *path = in_scratch(place, "hollow.safetensors");
    assert_true(write_hollow_file(path) > (size_t)1700 << 20);
    const long before = peak_of_memory();
    assert_ok(vb_weights_open(&weights, path, false, &err));
    const vb_clip_options options = {.family = vb_family_find("clip"), .stated.end_token = 2, .threads = 1};
    assert_ok(vb_clip_open(&clip, &weights.set, &options, &err));
    int32_t tokens[77] = {0, 901628, 4711, 2, 1, 1};
    float out[EMBED] = {1};
    assert_ok(vb_clip_encode_texts(clip, tokens, 1, out, &err));
    assert_true(out[0] == 0);
    const long grown = peak_of_memory() - before;
    if (grown > 100 << 10) fail_msg("%ld KiB more than before", grown);
    vb_clip_close(clip);
    vb_weights_close(&weights);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_of_bert_s_kind),
                                       cmocka_unit_test(eva_in_its_publishers_names),
                                       cmocka_unit_test(eva_says_what_is_wrong),
                                       cmocka_unit_test(convnext_has_the_epsilon_of_its_width),
                                       cmocka_unit_test(metaclip_2),
                                       cmocka_unit_test(an_embedding_of_gigabytes_stays_in_its_file)};
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
