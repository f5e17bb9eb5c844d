/* Tests of EfficientNet image towers (ALIGN). The expected numbers were computed with transformers 5.24 (AlignVisionModel, in
 * double precision) with the same weights; the first columns of an embedding of 160. */
#include "kernels/base/isa_internal.h"
#include "kernels/towers/clip.h"
#include "tests/unit/clip_reference.h"

enum { SIDE = 37, IMAGES = 2, PICTURE = 3 * SIDE * SIDE, EMBED = 160, SHOWN = 24, STEM = 16, STAGES = 7, BLOCKS = 13 };
static const int widths[STAGES] = {8, 16, 24, 40, 56, 96, 160}, kernels[STAGES] = {3, 3, 5, 3, 5, 5, 3},
                 repeats[STAGES] = {1, 2, 2, 2, 2, 3, 1};

/* kernel 0: a vector of `out`. */
static void add(ref_model *m, const char *prefix, const char *suffix, const int shape[3], double scale, double offset) {
    const int kernel = shape[2];
    ref_addf(m, offset, scale, kernel ? 4 : 1, (const int64_t[]){shape[0], shape[1], kernel, kernel}, "visual.%s%s", prefix,
             suffix);
}

static void add_conv(ref_model *m, const char *prefix, const char *name, int out, int in, int kernel) {
    char suffix[64];
    snprintf(suffix, sizeof suffix, "%s.weight", name);
    add(m, prefix, suffix, (const int[]){out, in, kernel}, 4.7 / sqrt(in * kernel * kernel), 0);
}

static void add_norm(ref_model *m, const char *prefix, const char *name, int channels) {
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++) {
        char suffix[64];
        snprintf(suffix, sizeof suffix, "%s.%s", name, parts[i]);
        add(m, prefix, suffix, (const int[]){channels, 0, 0}, 1, i % 3 == 0);
    }
}

static void add_block(ref_model *m, int block, int stage, int in) {
    char prefix[32];
    const int wide = stage ? 6 * in : in, narrow = in / 4 > 1 ? in / 4 : 1;
    snprintf(prefix, sizeof prefix, "blocks.%d.", block);
    if (stage) {
        add_conv(m, prefix, "expansion.expand_conv", wide, in, 1);
        add_norm(m, prefix, "expansion.expand_bn", wide);
    }
    add_conv(m, prefix, "depthwise_conv.depthwise_conv", wide, 1, kernels[stage]);
    add_norm(m, prefix, "depthwise_conv.depthwise_norm", wide);
    add_conv(m, prefix, "squeeze_excite.reduce", narrow, wide, 1);
    add(m, prefix, "squeeze_excite.reduce.bias", (const int[]){narrow, 0, 0}, 1, 0);
    add_conv(m, prefix, "squeeze_excite.expand", wide, narrow, 1);
    add(m, prefix, "squeeze_excite.expand.bias", (const int[]){wide, 0, 0}, 1, 0);
    add_conv(m, prefix, "projection.project_conv", widths[stage], wide, 1);
    add_norm(m, prefix, "projection.project_bn", widths[stage]);
}

/* Afterwards m->random continues with the pixels. */
static void make(ref_model *m) {
    *m = (ref_model){.random = 1, .uniform = true};
    add_conv(m, "stem.", "conv", STEM, 3, 3);
    add_norm(m, "stem.", "norm", STEM);
    int block = 0, width = STEM;
    for (int s = 0; s < STAGES; s++)
        for (int j = 0; j < repeats[s]; j++, width = widths[s]) add_block(m, block++, s, width);
    assert_int_equal(block, BLOCKS);
}

static void embeddings_are_transformers(void **state) {
    (void)state;
    static const double expected[IMAGES][SHOWN] = {
        {0.8257448,   0.093357929,  0.18471942,  -0.32194643, 0.13837458, -0.61935174, -0.10056858, 0.2951434,
         -0.74497651, -0.072068904, -0.86318472, 0.097512666, 0.55076663, 0.60113758,  -1.3984802,  0.0081013624,
         1.0414531,   0.13260811,   -0.44017593, -0.1330453,  0.21731614, 0.065863032, -0.6247292,  -0.020244975},
        {0.78953659,  0.10463451,   0.22488369,  -0.2828139,  0.067840414, -0.66569929, -0.12169126, 0.27349089,
         -0.76292132, -0.068982328, -0.88579303, 0.11301527,  0.56566635,  0.58525622,  -1.4369582,  -0.01130632,
         1.0194302,   0.15421947,   -0.4492877,  -0.15009712, 0.1508648,   0.072017675, -0.64047423, -0.01758306}};
    static float pixels[IMAGES * PICTURE], out[IMAGES * EMBED], again[IMAGES * EMBED];
    vb_error err = {0};
    ref_model m;
    make(&m);
    for (int i = 0; i < IMAGES * PICTURE; i++) pixels[i] = (float)(ref_uniform(&m.random) * 8);
    vb_clip *clips[2];
    for (int i = 0; i < 2; i++) {
        const vb_clip_options options = {.family = vb_family_by_signs(&m.set),
                                         .stated = {.resolution = SIDE},
                                         .threads = i ? 1 : 3};
        assert_ptr_equal(options.family, vb_family_find("align"));
        assert_ok(vb_clip_open(&clips[i], &m.set, &options, &err));
    }
    assert_ok(vb_clip_encode_images(clips[0], pixels, IMAGES, out, &err));
    for (int i = 0; i < IMAGES; i++) assert_close(out + i * EMBED, expected[i], SHOWN, 3e-5, "ALIGN");
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        for (int i = 0; i < IMAGES; i++)
            assert_ok(vb_clip_encode_images(clips[1], pixels + i * PICTURE, 1, again + i * EMBED, &err));
        assert_memory_equal(out, again, sizeof out);
    }
    vb_isa_limit(VB_ISA_LEVELS - 1);
    const vb_clip_info *info = vb_clip_describe(clips[0]);
    assert_int_equal(info->embed_dim, EMBED);
    assert_int_equal(info->image_layers[0], BLOCKS);
    assert_true(info->image_gated && !info->image_heads);
    for (int i = 0; i < 2; i++) vb_clip_close(clips[i]);
    ref_free(&m);
}

static void other_shapes_are_refused(void **state) {
    (void)state;
    vb_error err = {0};
    vb_clip *clip;
    const vb_clip_options options = {.family = vb_family_find("align"), .threads = 1};
    static const struct {
        const char *name;
        int dimension, size;
        const char *says;
    } cases[] = {
        {"visual.blocks.2.projection.project_conv.weight", 0, 17, "project_bn.weight has shape [16], expected [17]"},
        {"visual.blocks.3.depthwise_conv.depthwise_conv.weight", 3, 4, "has a filter of side 4, expected an odd one below 15"},
        {"visual.blocks.3.depthwise_conv.depthwise_conv.weight", 3, 17, "has a filter of side 17, expected an odd one below 15"},
        {"visual.blocks.5.squeeze_excite.expand.weight", 1, 3, "tensor visual.blocks.5.squeeze_excite.expand.weight has shape"},
        {"visual.blocks.1.depthwise_conv.depthwise_norm.running_var", 0, 5, "depthwise_norm.running_var has shape"},
        {"visual.stem.conv.weight", 1, 4, "tensor visual.stem.conv.weight has shape"}};
    ref_model m;
    make(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vb_tensor *tensor = ref_find(&m, cases[i].name), was = *tensor;
        tensor->shape[cases[i].dimension] = cases[i].size;
        if (vb_clip_open(&clip, &m.set, &options, &err) != -1) fail_msg("%s is accepted", cases[i].name);
        if (!strstr(err.text, cases[i].says)) fail_msg("%s: %s", cases[i].name, err.text);
        *tensor = was;
    }
    vb_named_tensor kept[REF_TENSORS];
    vb_tensor_set set = {0, kept};
    for (size_t i = 0; i < m.set.count; i++)
        if (strncmp(m.items[i].name, "visual.blocks.12.", 17)) kept[set.count++] = m.items[i];
    assert_fails(vb_clip_open(&clip, &set, &options, &err), VB_EMISMATCH, "the widths of visual.blocks.* change fewer times");
    ref_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(embeddings_are_transformers), cmocka_unit_test(other_shapes_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
