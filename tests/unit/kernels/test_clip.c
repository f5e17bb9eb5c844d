/* Tests of the encoders: against a double-precision reference on random models of odd sizes, bit for bit across batches, threads
 * and instruction sets, and on every kind of bad input. */
#include "tests/unit/clip_reference.h"
#include "kernels/base/fault.h"
#include "kernels/base/isa_internal.h"

/* ---- small helpers ---- */

static float *random_pixels(int64_t n, int resolution) {
    vb_error err = {0};
    uint64_t state = 99;
    float *pixels = vb_array((size_t)(n * 3 * resolution * resolution), sizeof *pixels, "pixels", &err);
    assert_non_null(pixels);
    for (int64_t i = 0; i < n * 3 * resolution * resolution; i++) pixels[i] = (float)ref_random(&state);
    return pixels;
}

/* n texts of different lengths: start token, words, end token, zeros. */
static int32_t *random_tokens(int64_t n, const ref_sizes *s) {
    vb_error err = {0};
    int32_t *tokens = vb_array((size_t)(n * s->context), sizeof *tokens, "tokens", &err);
    assert_non_null(tokens);
    for (int64_t i = 0; i < n; i++) {
        int32_t *t = tokens + i * s->context;
        int words = (int)(i * 5 % (s->context - 1));
        t[0] = s->vocabulary - 2;
        for (int k = 1; k <= words; k++) t[k] = (int32_t)((i * 31 + k * 17) % (s->vocabulary - 2));
        t[words + 1] = s->vocabulary - 1;
    }
    return tokens;
}

/* ---- against the reference ---- */

static void compare_with_reference(const ref_sizes *sizes, ref_model *m, vb_clip *clip, int exact_gelu) {
    vb_error err = {0};
    const vb_clip_info *info = vb_clip_describe(clip);
    const int n = 3;
    float out[3 * 64];
    double expected[64];
    ref_ctx c = {m, sizes, info->image_heads, exact_gelu};
    if (info->tower) {
        float *pixels = random_pixels(n, info->resolution);
        assert_ok(vb_clip_encode_images(clip, pixels, n, out, &err));
        for (int i = 0; i < n; i++) {
            const float *one = pixels + i * 3 * info->resolution * info->resolution;
            if (sizes->resnet) ref_resnet(&c, one, expected);
            else ref_vit(&c, one, expected);
            assert_close(out + i * sizes->embed, expected, sizes->embed, 2e-6, "image");
        }
        vb_free(pixels);
    }
    if (!info->text_width) return;
    int32_t *tokens = random_tokens(n, sizes);
    assert_ok(vb_clip_encode_texts(clip, tokens, n, out, &err));
    c.heads = info->text_heads;
    for (int i = 0; i < n; i++) {
        ref_text(&c, tokens + i * sizes->context, expected);
        assert_close(out + i * sizes->embed, expected, sizes->embed, 2e-6, "text");
    }
    vb_free(tokens);
}

static void vits_match_the_reference(void **state) {
    (void)state;
    static const char *const families[] = {"clip", "slip", "declip"};
    for (int variant = 0; variant < 9; variant++) {
        ref_sizes sizes = ref_small_vit;
        sizes.family = families[variant % 3];
        sizes.hugging_face = variant / 3 == 1;
        ref_model m;
        if (variant / 3 == 2) ref_make_typed(&m, &sizes, VB_BF16, VB_F32, VB_F16, true);
        else ref_make_typed(&m, &sizes, VB_F32, VB_F16, VB_BF16, false);
        vb_clip *clip = ref_open(&m, sizes.family, 1);
        const vb_clip_info *info = vb_clip_describe(clip);
        assert_string_equal(info->tower, "ViT");
        assert_int_equal(info->resolution, 12);
        assert_int_equal(info->patch, 4);
        assert_int_equal(info->image_width, 96);
        assert_int_equal(info->image_layers[0], 2);
        assert_int_equal(info->image_heads, 1);
        assert_int_equal(info->embed_dim, 20);
        assert_int_equal(info->context_length, 11);
        assert_int_equal(info->vocabulary_size, 50);
        assert_int_equal(info->text_width, 128);
        assert_int_equal(info->text_layers, 3);
        assert_int_equal(info->text_heads, 2);
        assert_true(fabsf(info->logit_scale / expf(2.5f) - 1) < 1e-6f);
        int64_t parameters = 0;
        for (size_t i = 0; i < m.set.count; i++) parameters += vb_tensor_count(&m.items[i].tensor);
        assert_true(info->parameters == parameters);
        compare_with_reference(&sizes, &m, clip, -1);
        vb_clip_close(clip);
        ref_free(&m);
    }
}

static void stated_activation_and_heads_count(void **state) {
    (void)state;
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F32, VB_F32, false);
    vb_clip_options options = {.family = vb_family_find("clip"),
                               .stated = {.image = {true, VB_GELU, 3, 0}, .text = {true, VB_GELU, 8, 0}},
                               .threads = 1};
    vb_clip *clip;
    assert_ok(vb_clip_open(&clip, &m.set, &options, &err));
    assert_int_equal(vb_clip_describe(clip)->image_heads, 3);
    assert_int_equal(vb_clip_describe(clip)->text_heads, 8);
    compare_with_reference(&ref_small_vit, &m, clip, 1);
    vb_clip_close(clip);
    options.stated.image.heads = 7;
    assert_fails(vb_clip_open(&clip, &m.set, &options, &err), VB_EMISMATCH, "width 96 does not split into 7 heads");
    ref_free(&m);
}

static void known_towers_have_their_heads(void **state) {
    (void)state;
    static const struct {
        const char *family;
        int width, heads;
    } towers[] = {{"clip", 768, 12}, {"clip", 1024, 16}, {"clip", 1280, 16}, {"clip", 1408, 16}, {"clip", 1664, 16},
                  {"slip", 384, 12}, {"slip", 768, 12},  {"slip", 1024, 16}, {"clip", 384, 6},   {"clip", 160, 2}};
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        ref_sizes sizes = {
            .family = towers[i].family, .width = towers[i].width, .layers = {1}, .grid = 1, .patch = 1, .hidden = 2, .embed = 2};
        ref_model m;
        ref_make_typed(&m, &sizes, VB_F16, VB_F16, VB_F16, false);
        vb_clip *clip = ref_open(&m, towers[i].family, 1);
        assert_int_equal(vb_clip_describe(clip)->image_heads, towers[i].heads);
        vb_clip_close(clip);
        ref_free(&m);
    }
}

static void resnets_match_the_reference(void **state) {
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        ref_sizes sizes = ref_small_resnet;
        if (variant == 1) sizes.width = 5; /* odd: a stem of 2, 2, 5 */
        if (variant == 2) sizes.grid = 1;
        ref_model m;
        ref_make_typed(&m, &sizes, VB_F32, VB_F16, VB_F32, variant == 1);
        vb_clip *clip = ref_open(&m, "clip", 1);
        const vb_clip_info *info = vb_clip_describe(clip);
        assert_string_equal(info->tower, "ModifiedResNet");
        assert_int_equal(info->resolution, 32 * sizes.grid);
        assert_int_equal(info->image_width, sizes.width);
        for (int l = 0; l < 4; l++) assert_int_equal(info->image_layers[l], sizes.layers[l]);
        assert_int_equal(info->image_heads, sizes.width / 2);
        assert_int_equal(info->embed_dim, 17);
        assert_int_equal(info->text_width, 0);
        int64_t parameters = 0;
        for (size_t i = 0; i < m.set.count; i++)
            if (!strstr(m.items[i].name, "running_")) parameters += vb_tensor_count(&m.items[i].tensor);
        assert_true(info->parameters == parameters);
        compare_with_reference(&sizes, &m, clip, -1);
        vb_clip_close(clip);
        ref_free(&m);
    }
}

/* As the official PromptLearner concatenates them: prefix, context and suffix, class by class. */
static void prompts_match_the_reference(void **state) {
    (void)state;
    enum { N = 3, NAMES = 3 };
    static const int name_lengths[N] = {1, 3, 2};
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F16, VB_F32, false);
    vb_clip *clip = ref_open(&m, "clip", 1);
    const int w = ref_small_vit.text_width;
    for (int variant = 0; variant < 12; variant++) {
        const int n_ctx = variant < 6 ? 4 : 3; /* three: unequal halves */
        float vectors[N * 4 * 128], out[N * 20];
        uint64_t random = 5;
        for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) vectors[i] = (float)ref_random(&random);
        int32_t tokens[N * 11] = {0};
        for (int i = 0; i < N; i++) {
            int32_t *t = tokens + i * ref_small_vit.context;
            int at = 0;
            t[at++] = 48;
            for (int k = 0; k < n_ctx; k++) t[at++] = 9;
            for (int k = 0; k < name_lengths[i]; k++) t[at++] = 20 + 5 * i + k;
            t[at++] = 3;
            t[at++] = 49;
        }
        const vb_prompt_context context = {.vectors = vectors,
                                           .n_ctx = n_ctx,
                                           .width = w,
                                           .class_specific = variant % 2,
                                           .position = (vb_prompt_position)(variant / 2 % 3),
                                           .name_lengths = variant / 2 % 3 ? name_lengths : NULL};
        assert_ok(vb_clip_encode_prompts(clip, tokens, &context, N, out, &err));

        ref_ctx c = {&m, &ref_small_vit, 2, -1};
        for (int i = 0; i < N; i++) {
            double *rows = ref_token_rows(&c, tokens + i * ref_small_vit.context),
                   *spliced = ref_zeros(ref_small_vit.context * w), expected[20];
            const float *ctx = vectors + (context.class_specific ? i * n_ctx * w : 0);
            const double *name = rows + (1 + n_ctx) * w, *suffix = name + name_lengths[i] * w;
            int half = n_ctx / 2, at = 0;
#define TAKE(from, count)                                                                                                        \
    do {                                                                                                                         \
        for (int k = 0; k < (count)*w; k++) spliced[at++] = (from)[k];                                                           \
    } while (0)
            TAKE(rows, 1);
            if (context.position == VB_PROMPT_END) {
                TAKE(ctx, n_ctx);
                TAKE(name, name_lengths[i]);
            } else if (context.position == VB_PROMPT_MIDDLE) {
                TAKE(ctx, half);
                TAKE(name, name_lengths[i]);
                TAKE(ctx + half * w, n_ctx - half);
            } else {
                TAKE(name, name_lengths[i]);
                TAKE(ctx, n_ctx);
            }
            TAKE(suffix, ref_small_vit.context - 1 - n_ctx - name_lengths[i]);
#undef TAKE
            ref_text_rows(&c, spliced, 1 + n_ctx + name_lengths[i] + 1, expected);
            assert_close(out + i * 20, expected, 20, 2e-6, "prompt");
            free(rows);
            free(spliced);
        }
    }
    vb_clip_close(clip);
    ref_free(&m);
}

static void impossible_prompts_are_refused(void **state) {
    (void)state;
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F32, VB_F32, false);
    vb_clip *clip = ref_open(&m, "clip", 1);
    const float vectors[4 * 128] = {0};
    const int32_t tokens[11] = {48, 9, 9, 20, 21, 3, 49};
    int length = 2;
    float out[20];
    vb_prompt_context context = {
        .vectors = vectors, .n_ctx = 2, .width = 128, .position = VB_PROMPT_FRONT, .name_lengths = &length};
    assert_ok(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err));
    length = 4;
    assert_fails(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err), VB_EMISMATCH,
                 "prompt 0 has its end token at position 6");
    length = -1;
    assert_fails(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err), VB_EMISMATCH, "prompt 0");
    context.position = VB_PROMPT_END;
    assert_ok(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err));
    context.n_ctx = 6;
    assert_fails(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err), VB_EMISMATCH, "6 context vectors");
    context.width = 64;
    assert_fails(vb_clip_encode_prompts(clip, tokens, &context, 1, out, &err), VB_EMISMATCH,
                 "context vectors have width 64, the text tower has width 128");
    vb_clip_close(clip);
    ref_free(&m);
}

/* ---- bits ---- */

/* All at once with one thread at the highest level is the measure: smaller batches, more threads and lower levels must repeat
 * it. */
static void bits_stay(const ref_sizes *sizes, bool texts, int64_t n, const int64_t *batches, int64_t checked) {
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, sizes, VB_F16, VB_F32, VB_BF16, false);
    vb_clip *clip = ref_open(&m, sizes->family, 1);
    const vb_clip_info *info = vb_clip_describe(clip);
    const int64_t size = texts ? info->context_length : 3 * info->resolution * info->resolution;
    float *pixels = texts ? NULL : random_pixels(n, info->resolution);
    int32_t *tokens = texts ? random_tokens(n, sizes) : NULL;
    float *all = vb_array((size_t)(n * sizes->embed), sizeof *all, "embeddings", &err);
    float *again = vb_array((size_t)(n * sizes->embed), sizeof *again, "embeddings", &err);
    assert_true(all && again);
#define ENCODE(from, count, to)                                                                                                  \
    (texts ? vb_clip_encode_texts(clip, tokens + (from)*size, count, to, &err) :                                                 \
             vb_clip_encode_images(clip, pixels + (from)*size, count, to, &err))
    assert_ok(ENCODE(0, n, all));
    for (int threads = 1; threads <= 3; threads++) {
        vb_clip_close(clip);
        clip = ref_open(&m, sizes->family, threads);
        for (int b = 0; batches[b]; b++) {
            for (int64_t i = n - checked; i < n; i += batches[b])
                assert_ok(ENCODE(i, n - i < batches[b] ? n - i : batches[b], again + i * sizes->embed));
            assert_memory_equal(again + (n - checked) * sizes->embed, all + (n - checked) * sizes->embed,
                                (size_t)(checked * sizes->embed) * sizeof *all);
        }
    }
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        int64_t few = checked < 8 ? checked : 8;
        assert_ok(ENCODE(n - few, few, again));
        assert_memory_equal(again, all + (n - few) * sizes->embed, (size_t)(few * sizes->embed) * sizeof *all);
    }
    vb_isa_limit(VB_VNNI);
#undef ENCODE
    vb_free(pixels), vb_free(tokens), vb_free(all), vb_free(again);
    vb_clip_close(clip);
    ref_free(&m);
}

static void bits_do_not_depend_on_batch_threads_or_level(void **state) {
    (void)state;
    bits_stay(&ref_small_vit, false, 64, (const int64_t[]){1, 7, 64, 0}, 64);
    bits_stay(&ref_small_vit, true, 64, (const int64_t[]){1, 7, 64, 0}, 64);
    bits_stay(&ref_small_resnet, false, 64, (const int64_t[]){1, 7, 64, 0}, 16);
}

/* Texts that begin alike, prompts with learned contexts too: the same bits in any company as alone, and in any place. */
static void texts_share_their_beginnings(void **state) {
    (void)state;
    enum { N = 40, TEMPLATES = 5 };
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F16, VB_F32, false);
    const int length = ref_small_vit.context, embed = ref_small_vit.embed, w = ref_small_vit.text_width;
    int32_t tokens[N * 32] = {0};
    int names[N];
    float *vectors = vb_array((size_t)(N * 2 * w), sizeof *vectors, "vectors", &err), out[N * 64], alone[64];
    assert_true(vectors && length <= 32 && embed <= 64);
    for (int i = 0; i < N; i++) { /* a start, two placeholders or words of a template, a name of one or two tokens, an end */
        int32_t *t = tokens + i * length;
        int at = 0;
        t[at++] = 48, t[at++] = 9, t[at++] = 9 + i % TEMPLATES / 2;
        names[i] = 1 + i / TEMPLATES % 2;
        for (int k = 0; k < names[i]; k++) t[at++] = 20 + i / TEMPLATES % 7;
        t[at++] = 3 + i % TEMPLATES % 2;
        t[at++] = 49;
    }
    for (int i = 0; i < N * 2 * w; i++) vectors[i] = (float)(i / w % 4 < 3 ? 1 + i % w : i) * 0.01f; /* some equal */
    for (int variant = 0; variant < 14; variant++) {
        const vb_prompt_context context = {.vectors = vectors,
                                           .n_ctx = 2,
                                           .width = w,
                                           .class_specific = variant % 2,
                                           .position = (vb_prompt_position)(variant / 2 % 3),
                                           .name_lengths = names};
        const bool plain = variant >= 12;
        vb_clip *clip = ref_open(&m, "clip", 1 + variant % 3);
        assert_ok(plain ? vb_clip_encode_texts(clip, tokens, N, out, &err) :
                          vb_clip_encode_prompts(clip, tokens, &context, N, out, &err));
        for (int i = 0; i < N; i++) {
            vb_prompt_context one = context;
            one.name_lengths += i;
            if (one.class_specific) one.vectors += i * 2 * w;
            assert_ok(plain ? vb_clip_encode_texts(clip, tokens + i * length, 1, alone, &err) :
                              vb_clip_encode_prompts(clip, tokens + i * length, &one, 1, alone, &err));
            assert_memory_equal(out + i * embed, alone, (size_t)embed * sizeof *alone);
        }
        vb_clip_close(clip);
    }
    vb_free(vectors);
    ref_free(&m);
}

/* 500 texts of full length are more than a piece. */
static const ref_sizes long_texts = {
    .family = "clip", .context = 77, .vocabulary = 90, .text_width = 128, .text_layers = 1, .text_hidden = 640, .embed = 8};

/* Enough items that the work goes in several pieces; the last ones, beyond the first piece's end, are checked. */
static void bits_do_not_depend_on_pieces(void **state) {
    (void)state;
    const ref_sizes wide = {.family = "clip", .resnet = true, .width = 4, .layers = {1, 1, 1, 1}, .grid = 5, .embed = 8};
    ref_model m;
    ref_make_typed(&m, &wide, VB_F32, VB_F32, VB_F32, false);
    vb_clip *clip = ref_open(&m, "clip", 1);
    assert_true(vb_clip_image_workspace(clip, 400) == vb_clip_image_workspace(clip, 1000000)); /* 400 is more than a piece */
    assert_true(vb_clip_image_workspace(clip, 1000000) <= 64 << 20);
    assert_true(vb_clip_image_workspace(clip, 2) == 2 * vb_clip_image_workspace(clip, 1));
    assert_int_equal(vb_clip_text_workspace(clip, 10), 0);
    vb_clip_close(clip);
    ref_free(&m);
    bits_stay(&wide, false, 400, (const int64_t[]){5, 0}, 20);
    bits_stay(&long_texts, true, 700, (const int64_t[]){3, 0}, 60);
    ref_make_typed(&m, &long_texts, VB_F32, VB_F32, VB_F32, false);
    clip = ref_open(&m, "clip", 1);
    assert_true(vb_clip_text_workspace(clip, 700) < 80 << 20);
    assert_true(vb_clip_text_workspace(clip, 1) < vb_clip_text_workspace(clip, 2));
    assert_int_equal(vb_clip_image_workspace(clip, 10), 0);
    vb_clip_close(clip);
    ref_free(&m);
}

/* ---- bad input ---- */

static void wrong_tokens_are_refused(void **state) {
    (void)state;
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &ref_small_vit, VB_F32, VB_F32, VB_F32, false);
    vb_clip *clip = ref_open(&m, "clip", 1);
    int32_t tokens[22] = {48, 1, 49, 0, 0, 0, 0, 0, 0, 0, 0, 48, 1, 2, 49};
    float out[40];
    assert_ok(vb_clip_encode_texts(clip, tokens, 2, out, &err));
    assert_ok(vb_clip_encode_texts(clip, tokens, 0, out, &err));
    float padded[20]; /* Hugging Face pads with end tokens: the first one counts */
    for (int k = 3; k < 11; k++) tokens[k] = 49;
    assert_ok(vb_clip_encode_texts(clip, tokens, 1, padded, &err));
    assert_memory_equal(padded, out, sizeof padded);
    tokens[12] = 50;
    assert_fails(vb_clip_encode_texts(clip, tokens, 2, out, &err), VB_EMISMATCH,
                 "text 1: token 50 at position 1 is outside of the model's vocabulary of 50");
    tokens[12] = -1;
    assert_fails(vb_clip_encode_texts(clip, tokens, 2, out, &err), VB_EMISMATCH, "text 1: token -1 at position 1");
    tokens[12] = 1;
    tokens[14] = 48;
    assert_fails(vb_clip_encode_texts(clip, tokens, 2, out, &err), VB_EMISMATCH, "text 1 has no end token (id 49)");
    float pixels[1] = {0};
    vb_clip_close(clip);
    ref_free(&m);
    ref_make_typed(&m, &ref_small_resnet, VB_F32, VB_F32, VB_F32, false);
    clip = ref_open(&m, "clip", 1);
    assert_fails(vb_clip_encode_texts(clip, tokens, 1, out, &err), VB_EUNSUPPORTED, "no text tower");
    vb_clip_close(clip);
    ref_free(&m);
    ref_sizes sizes = ref_small_vit;
    sizes.width = 0;
    ref_make_typed(&m, &sizes, VB_F32, VB_F32, VB_F32, false);
    clip = ref_open(&m, "clip", 1);
    assert_fails(vb_clip_encode_images(clip, pixels, 1, out, &err), VB_EUNSUPPORTED, "no image tower");
    vb_clip_close(clip);
    ref_free(&m);
}

/* A NaN anywhere in the weights that an item touches must show, also behind a ReLU, a softmax or a pool. */
static void nan_never_hides(void **state) {
    (void)state;
    static const struct {
        const ref_sizes *sizes;
        const char *name;
        bool text;
    } cases[] = {{&ref_small_vit, "visual.conv1.weight", false},
                 {&ref_small_vit, "visual.class_embedding", false},
                 {&ref_small_vit, "visual.positional_embedding", false},
                 {&ref_small_vit, "visual.transformer.resblocks.0.attn.in_proj_weight", false},
                 {&ref_small_vit, "visual.transformer.resblocks.1.mlp.c_fc.weight", false},
                 {&ref_small_vit, "visual.ln_post.bias", false},
                 {&ref_small_vit, "visual.proj", false},
                 {&ref_small_vit, "text_projection", true},
                 {&ref_small_vit, "positional_embedding", true},
                 {&ref_small_vit, "transformer.resblocks.2.attn.in_proj_bias", true},
                 {&ref_small_resnet, "visual.conv1.weight", false},
                 {&ref_small_resnet, "visual.bn3.running_var", false},
                 {&ref_small_resnet, "visual.layer2.1.conv2.weight", false},
                 {&ref_small_resnet, "visual.layer4.0.downsample.1.bias", false},
                 {&ref_small_resnet, "visual.attnpool.k_proj.weight", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_error err = {0};
        ref_model m;
        ref_make_typed(&m, cases[i].sizes, VB_F32, VB_F32, VB_F32, false);
        float *data = (float *)(uintptr_t)ref_find(&m, cases[i].name)->data, out[40];
        data[1] = NAN;
        vb_clip *clip = ref_open(&m, "clip", 1);
        if (cases[i].text) {
            int32_t *tokens = random_tokens(2, cases[i].sizes);
            assert_fails(vb_clip_encode_texts(clip, tokens, 2, out, &err), VB_EDATA, "the embedding of text 0 is not finite");
            vb_free(tokens);
        } else {
            float *pixels = random_pixels(2, vb_clip_describe(clip)->resolution);
            assert_fails(vb_clip_encode_images(clip, pixels, 2, out, &err), VB_EDATA, "the embedding of image 0 is not finite");
            vb_free(pixels);
        }
        vb_clip_close(clip);
        ref_free(&m);
    }
}

/* A watch that stops at its n-th look. */
typedef struct patience {
    int looks, most;
} patience;

static int look(void *context, vb_error *err) {
    patience *left = context;
    return ++left->looks > left->most ? vb_errorf(err, VB_EINCOMPLETE, "enough") : 0;
}

/* Encoding can be ended between any two layers, and goes on as before at the next call. */
static void a_watch_ends_the_encoding(void **state) {
    (void)state;
    const ref_sizes *const all[] = {&ref_small_vit, &ref_small_resnet};
    for (int which = 0; which < 2; which++) {
        ref_model m;
        ref_make_typed(&m, all[which], VB_F32, VB_F32, VB_F32, false);
        patience left = {0, 1000};
        const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1, .watch = {look, &left}};
        const int32_t tokens[11] = {48, 3, 49};
        float *pixels = random_pixels(1, which ? 64 : 12), truth[64], out[64];
        vb_clip *clip;
        vb_error err = {0};
        assert_int_equal(vb_clip_open(&clip, &m.set, &options, &err), 0);
        assert_int_equal(vb_clip_encode_images(clip, pixels, 1, truth, &err), 0);
        const vb_clip_info *info = vb_clip_describe(clip);
        const int *layers = info->image_layers, total = layers[0] + layers[1] + layers[2] + layers[3];
        assert_int_equal(left.looks, total);
        for (int most = 0; most < total; most++) {
            left = (patience){0, most};
            vb_error_clear(&err);
            assert_int_equal(vb_clip_encode_images(clip, pixels, 1, out, &err), -1);
            assert_int_equal(err.code, VB_EINCOMPLETE);
            assert_int_equal(left.looks, most + 1);
        }
        if (!which) {
            left = (patience){0, info->text_layers - 1};
            assert_int_equal(vb_clip_encode_texts(clip, tokens, 1, out, &err), -1);
            left = (patience){0, info->text_layers};
            assert_int_equal(vb_clip_encode_texts(clip, tokens, 1, out, &err), 0);
        }
        left = (patience){0, total};
        assert_int_equal(vb_clip_encode_images(clip, pixels, 1, out, &err), 0);
        assert_memory_equal(out, truth, (size_t)info->embed_dim * sizeof *out);
        vb_clip_close(clip);
        vb_free(pixels);
        ref_free(&m);
    }
}

/* 500 texts of full length need several pieces of work space, each of which a watch sees once a layer; common beginnings are
 * computed once and need none of their own. */
static void shared_rows_are_not_computed_again(void **state) {
    (void)state;
    enum { N = 500, LENGTH = 77, END = 89 }; /* as long_texts has them */
    static int32_t tokens[N * LENGTH];
    static float out[N * 8];
    vb_error err = {0};
    ref_model m;
    ref_make_typed(&m, &long_texts, VB_F32, VB_F32, VB_F32, false);
    patience seen = {0, 1000};
    const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1, .watch = {look, &seen}};
    vb_clip *clip;
    assert_ok(vb_clip_open(&clip, &m.set, &options, &err));
    const int differ_at[] = {1, LENGTH - 3, LENGTH}; /* from there on; LENGTH: nowhere */
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < N * LENGTH; i++) tokens[i] = i % LENGTH == LENGTH - 1 ? END : 7;
        for (int i = 0; i < N && differ_at[c] < LENGTH; i++) {
            tokens[i * LENGTH + differ_at[c]] = i % 80;
            tokens[i * LENGTH + differ_at[c] + 1] = i / 80;
        }
        seen.looks = 0;
        assert_ok(vb_clip_encode_texts(clip, tokens, N, out, &err));
        assert_true(c ? seen.looks == 1 : seen.looks > 1);
    }
    vb_clip_close(clip);
    ref_free(&m);
}

/* Every allocation fails once: an error each time, nothing lost (the leak sanitizer watches), and the model goes on working. */
static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    const ref_sizes *const all[] = {&ref_small_vit, &ref_small_resnet};
    for (int which = 0; which < 2; which++) {
        ref_model m;
        ref_make_typed(&m, all[which], VB_F32, VB_F16, VB_BF16, true);
        float *pixels = random_pixels(1, which ? 64 : 12), out[64];
        const int32_t tokens[11] = {48, 3, 49};
        int failures = 0;
        for (int nth = 1;; nth++) {
            char specification[40];
            snprintf(specification, sizeof specification, "alloc:%d:ENOMEM", nth);
            vb_error err = {0};
            vb_clip *clip;
            const vb_clip_options options = {.family = vb_family_find("clip"), .threads = 1};
            vb_fault_setup(specification, 0);
            int status = vb_clip_open(&clip, &m.set, &options, &err);
            if (!status) status = vb_clip_encode_images(clip, pixels, 1, out, &err);
            if (!status && !which) status = vb_clip_encode_texts(clip, tokens, 1, out, &err);
            vb_fault_setup(NULL, 0);
            if (clip) {
                vb_error fine = {0};
                if (vb_clip_encode_images(clip, pixels, 1, out, &fine)) fail_msg("after a failure: %s", fine.text);
            }
            vb_clip_close(clip);
            if (!status) break;
            assert_int_equal(err.code, VB_EMEMORY);
            failures++;
        }
        assert_true(failures > 50);
        vb_free(pixels);
        ref_free(&m);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(vits_match_the_reference),
                                       cmocka_unit_test(stated_activation_and_heads_count),
                                       cmocka_unit_test(known_towers_have_their_heads),
                                       cmocka_unit_test(resnets_match_the_reference),
                                       cmocka_unit_test(prompts_match_the_reference),
                                       cmocka_unit_test(impossible_prompts_are_refused),
                                       cmocka_unit_test(bits_do_not_depend_on_batch_threads_or_level),
                                       cmocka_unit_test(texts_share_their_beginnings),
                                       cmocka_unit_test(bits_do_not_depend_on_pieces),
                                       cmocka_unit_test(wrong_tokens_are_refused),
                                       cmocka_unit_test(nan_never_hides),
                                       cmocka_unit_test(a_watch_ends_the_encoding),
                                       cmocka_unit_test(shared_rows_are_not_computed_again),
                                       cmocka_unit_test(lack_of_memory_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
