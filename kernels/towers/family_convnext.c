/* ConvNeXt image towers as open_clip trains them, with CLIP's text tower.
 *
 * Sources: timm 1.0 convnext.py (ConvNeXt, ConvNeXtBlock); open_clip 3.3 timm_model.py (the heads `proj` and `mlp`) and its
 * configurations of convnext_base, base_w, large_d and xxlarge. */
#include <stdio.h>

#include "kernels/towers/family.h"
#include "kernels/towers/fold.h"
#include "kernels/towers/text_tower.h"

enum { STAGES = 4, STRIDE = 32, XXLARGE = 384 /* width of the first stage, whose LayerNorms have another epsilon */ };

/* x + gamma fc2(gelu(fc1(norm(depthwise(x))))) */
static int emit_block(vb_binder *binder, const vb_clip_info *info, vb_activation activation, int width, const char *block,
                      int x) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    vb_channel_filter filter = {.times = 1, .kernel = 7, .stride = 1, .padding = 3};
    vb_norm norm;
    vb_linear expand = {0}, contract = {0};
    char name[VB_NAME / 2], gamma[VB_NAME / 2];
    int hidden[2];
    snprintf(name, sizeof name, "%s.conv_dw", block);
    snprintf(gamma, sizeof gamma, "%s.gamma", block);
    if (vb_fold_depthwise(binder, &filter, width, name) ||
        vb_binder_norm(binder, &norm, width, info->image_epsilon, "%s.norm", block) ||
        vb_binder_shape(binder, 2, hidden, "%s.mlp.fc1.weight", block) ||
        vb_binder_linear(binder, &expand, hidden[0], width, "%s.mlp.fc1", block) ||
        vb_binder_linear(binder, &contract, width, hidden[0], "%s.mlp.fc2", block) ||
        vb_fold_layer_scale(binder, &contract, width, gamma) || vb_program_open_layer(program, err))
        return VB_NO_VALUE;
    int inner = vb_program_depthwise(program, x, &filter, VB_NO_VALUE, err);
    inner = vb_program_norm(program, inner, &norm, err);
    inner = vb_program_linear(program, inner, &expand, activation, VB_NO_VALUE, err);
    return vb_program_linear(program, inner, &contract, VB_LINEAR, x, err);
}

/* The convolution in front of a stage, whose filters lie side by side, and its LayerNorm: behind it for the stem, else in
 * front. */
static int emit_entry(vb_binder *binder, const vb_clip_info *info, int stage, int *width, int x) {
    vb_program *program = binder->program;
    const int in = *width, kernel = stage ? 2 : 4;
    int filter[4];
    char conv[VB_NAME / 4], layer_norm[VB_NAME / 4];
    vb_convolution entry = {.kernel = kernel, .stride = kernel};
    vb_norm norm;
    snprintf(conv, sizeof conv, stage ? "visual.trunk.stages.%d.downsample.1" : "visual.trunk.stem.0", stage);
    snprintf(layer_norm, sizeof layer_norm, stage ? "visual.trunk.stages.%d.downsample.0" : "visual.trunk.stem.1", stage);
    if (vb_binder_shape(binder, 4, filter, "%s.weight", conv)) return VB_NO_VALUE;
    *width = filter[0];
    if (vb_binder_norm(binder, &norm, stage ? in : *width, info->image_epsilon, "%s", layer_norm) ||
        vb_binder_filter(binder, &entry.weight, *width, in, kernel, "%s.weight", conv) ||
        !(entry.bias = vb_binder_floats(binder, *width, 0, "%s.bias", conv)))
        return VB_NO_VALUE;
    if (stage) x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_conv(program, x, &entry, VB_NO_VALUE, binder->err);
    return stage ? x : vb_program_norm(program, x, &norm, binder->err);
}

static int emit_stages(vb_binder *binder, vb_clip_info *info, vb_activation activation, int *width, int x) {
    *width = 3;
    for (int s = 0; s < STAGES && x != VB_NO_VALUE; s++) {
        x = emit_entry(binder, info, s, width, x);
        int *blocks = &info->image_layers[s];
        for (*blocks = 0; x != VB_NO_VALUE; ++*blocks) {
            char block[VB_NAME / 4];
            snprintf(block, sizeof block, "visual.trunk.stages.%d.blocks.%d", s, *blocks);
            if (*blocks && !vb_binder_has(binder, "%s.conv_dw.weight", block)) break;
            x = emit_block(binder, info, activation, *width, block, x);
        }
    }
    return x;
}

/* A linear layer of open_clip's heads; the last one has a bias where the file has it. */
static int bind_head(vb_binder *binder, vb_linear *linear, int in, bool last, int *out, const char *name) {
    int shape[2];
    *linear = (vb_linear){0};
    if (vb_binder_shape(binder, 2, shape, "%s.weight", name) ||
        vb_binder_matrix(binder, &linear->weight, shape[0], in, false, "%s.weight", name))
        return -1;
    *out = shape[0];
    if ((!last || vb_binder_has(binder, "%s.bias", name)) && !(linear->bias = vb_binder_floats(binder, *out, 0, "%s.bias", name)))
        return -1;
    return 0;
}

/* The mean pixel's norm, and a projection or a layer more. */
static int emit_head(vb_binder *binder, const vb_clip_info *info, int width, int x, int *embed) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    vb_norm norm;
    vb_linear layer;
    int in = width;
    if (vb_binder_norm(binder, &norm, width, info->image_epsilon, "visual.trunk.head.norm")) return VB_NO_VALUE;
    x = vb_program_pool_all(program, x, err);
    x = vb_program_norm(program, x, &norm, err);
    const bool wide = vb_binder_has_prefix(binder, "visual.head.mlp.");
    if (wide) {
        if (bind_head(binder, &layer, width, false, &in, "visual.head.mlp.fc1")) return VB_NO_VALUE;
        x = vb_program_linear(program, x, &layer, VB_GELU, VB_NO_VALUE, err);
    }
    if (bind_head(binder, &layer, in, true, embed, wide ? "visual.head.mlp.fc2" : "visual.head.proj")) return VB_NO_VALUE;
    return vb_program_linear(program, x, &layer, VB_LINEAR, VB_NO_VALUE, err);
}

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    vb_program *program = binder->program;
    int stem[4], width;
    const int *blocks = info->image_layers;
    program->name = "ConvNeXt";
    if (vb_binder_shape(binder, 4, stem, "visual.trunk.stem.0.weight")) return -1;
    info->resolution = options->resolution ? options->resolution : family->resolution;
    if (info->resolution < STRIDE)
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "a resolution of %d, but a ConvNeXt halves its images to a %dth: expected %d or more", info->resolution,
                         STRIDE, STRIDE);
    info->image_width = stem[0];
    info->patch = 4;
    const vb_tower_facts stated = vb_family_image_facts(family, options);
    info->image_epsilon = stem[0] == XXLARGE && !(options->image.epsilon > 0) ? 1e-5f : stated.epsilon;
    int x = vb_program_pixels(program, info->resolution, binder->err);
    x = emit_stages(binder, info, stated.activation, &width, x);
    x = x == VB_NO_VALUE ? x : emit_head(binder, info, width, x, embed);
    if (x == VB_NO_VALUE) return -1;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, width %d, layers %d %d %d %d", info->resolution,
             info->resolution, info->image_width, blocks[0], blocks[1], blocks[2], blocks[3]);
    return vb_program_finish(program, x, binder->err);
}

static const vb_family_sign signs[] = {{.has = {"visual.trunk.stages.0.blocks.0.conv_dw.weight"}}, {{0}, {0}}};

const vb_family vb_family_convnext = {
    .name = "convnext",
    .published = "laion/CLIP-convnext_base_w-laion2B-s13B-b82K-augreg, CLIP-convnext_large_d_320.laion2B-s29B-b131K-ft, "
                 "CLIP-convnext_xxlarge-laion2B-s34B-b82K-augreg-soup",
    .tested = "embeddings of open_clip (timm's towers) for tiny models, and timm's configurations in full size for shapes",
    .cache_key = 30,
    .signs = signs,
    .fixed_heads = true,
    .resolution = 256,
    .resolution_varies = true,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .image = emit_image,
    .text = vb_text_tower_emit,
};
