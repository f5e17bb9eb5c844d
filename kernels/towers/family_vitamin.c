/* ViTamin: a stem, two stages of MBConv blocks and a ViT whose hidden layers are gated, with CLIP's text tower.
 *
 * Sources: timm 1.0 vitamin.py (Stem, MbConvLNBlock, HybridEmbed, GeGluMlp); open_clip 3.3's configurations of ViTamin-*. */
#include <stdio.h>

#include "kernels/towers/family.h"
#include "kernels/towers/fold.h"
#include "kernels/towers/text_tower.h"

enum { STAGES = 2, PATCH = 16, XL = 1152 /* width */, NAME = VB_NAME / 2 };
#define BACKBONE "visual.trunk.patch_embed.backbone."

typedef struct tower {
    vb_binder *binder;
    vb_program *program;
    vb_error *err;
    vb_activation activation;
    float epsilon;
} tower;

/* A convolution of 3 x 3 with a bias, padded by a pixel. */
static int emit_conv(const tower *t, int stride, const char *name, int x) {
    int shape[4];
    vb_convolution conv = {.kernel = 3, .stride = stride, .padding = 1};
    if (x == VB_NO_VALUE || vb_binder_shape(t->binder, 4, shape, "%s.weight", name) ||
        vb_binder_filter(t->binder, &conv.weight, shape[0], t->program->values[x].columns, 3, "%s.weight", name) ||
        !(conv.bias = vb_binder_floats(t->binder, shape[0], 0, "%s.bias", name)))
        return VB_NO_VALUE;
    return vb_program_conv(t->program, x, &conv, VB_NO_VALUE, t->err);
}

static int emit_norm(const tower *t, const char *name, int x) {
    vb_norm norm;
    if (x == VB_NO_VALUE || vb_binder_norm(t->binder, &norm, t->program->values[x].columns, t->epsilon, "%s", name))
        return VB_NO_VALUE;
    return vb_program_norm(t->program, x, &norm, t->err);
}

/* conv2(activation(norm1(conv1(x)))). The norm's factors and summands go with the activation, as a filter of 1 x 1. */
static int emit_stem(const tower *t, int x) {
    vb_norm norm;
    x = emit_conv(t, 2, BACKBONE "stem.conv1", x);
    if (x == VB_NO_VALUE || vb_binder_norm(t->binder, &norm, t->program->values[x].columns, t->epsilon, BACKBONE "stem.norm1"))
        return VB_NO_VALUE;
    const vb_channel_filter filter = {
        .weight = norm.weight, .bias = norm.bias, .times = 1, .kernel = 1, .stride = 1, .last = t->activation};
    norm.weight = norm.bias = NULL;
    x = vb_program_norm(t->program, x, &norm, t->err);
    x = vb_program_depthwise(t->program, x, &filter, VB_NO_VALUE, t->err);
    return emit_conv(t, 1, BACKBONE "stem.conv2", x);
}

/* What is added to a block's result: x; in a stage's first block means of 3 x 3, through a layer of 1 x 1 where widths differ. */
static int emit_shortcut(const tower *t, bool first, int width, const char *block, int x) {
    vb_linear expand;
    char name[NAME];
    if (!first) return x;
    const int in = t->program->values[x].columns;
    x = vb_program_pool(t->program, x, &(vb_window){.size = 3, .stride = 2, .padding = 1}, t->err);
    if (x == VB_NO_VALUE || in == width) return x;
    snprintf(name, sizeof name, "%s.shortcut.expand", block);
    if (vb_fold_pointwise(t->binder, &expand, width, in, name)) return VB_NO_VALUE;
    return vb_program_linear(t->program, x, &expand, VB_LINEAR, VB_NO_VALUE, t->err);
}

/* MBConv: shortcut(x) + conv3(activation(conv2(activation(conv1(norm(x)))))), conv2 depthwise. */
static int emit_block(const tower *t, bool first, const char *block, int x) {
    const int in = t->program->values[x].columns;
    int hidden[4], out[4];
    char name[NAME];
    vb_linear expand, contract;
    vb_channel_filter filter = {.times = 1, .kernel = 3, .stride = first ? 2 : 1, .padding = 1, .last = t->activation};
    if (vb_binder_shape(t->binder, 4, hidden, "%s.conv1_1x1.weight", block) ||
        vb_binder_shape(t->binder, 4, out, "%s.conv3_1x1.weight", block))
        return VB_NO_VALUE;
    if (!first && out[0] != in) {
        vb_errorf(t->err, VB_EMISMATCH, "tensor %s.conv3_1x1.weight has %d rows, expected %d", block, out[0], in);
        return VB_NO_VALUE;
    }
    snprintf(name, sizeof name, "%s.conv1_1x1", block);
    if (vb_fold_pointwise(t->binder, &expand, hidden[0], in, name)) return VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.conv2_kxk", block);
    if (vb_fold_depthwise(t->binder, &filter, hidden[0], name)) return VB_NO_VALUE;
    snprintf(name, sizeof name, "%s.conv3_1x1", block);
    if (vb_fold_pointwise(t->binder, &contract, out[0], hidden[0], name) || vb_program_open_layer(t->program, t->err))
        return VB_NO_VALUE;
    const int shortcut = emit_shortcut(t, first, out[0], block, x);
    snprintf(name, sizeof name, "%s.pre_norm", block);
    x = emit_norm(t, name, x);
    x = vb_program_linear(t->program, x, &expand, t->activation, VB_NO_VALUE, t->err);
    x = vb_program_depthwise(t->program, x, &filter, VB_NO_VALUE, t->err);
    return shortcut == VB_NO_VALUE ? shortcut : vb_program_linear(t->program, x, &contract, VB_LINEAR, shortcut, t->err);
}

static int emit_stages(const tower *t, int layers[STAGES], int x) {
    for (int s = 0; s < STAGES; s++)
        for (layers[s] = 0; x != VB_NO_VALUE; layers[s]++) {
            char block[NAME / 2];
            snprintf(block, sizeof block, BACKBONE "stages.%d.%d", s, layers[s]);
            if (layers[s] && !vb_binder_has(t->binder, "%s.conv1_1x1.weight", block)) break;
            x = emit_block(t, !layers[s], block, x);
        }
    return x;
}

/* The transformer over the cells of the last picture, with their positions. */
static int emit_transformer(const tower *t, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int x) {
    const int cells = t->program->values[x].rows;
    vb_transformer_facts facts = {.width = t->program->values[x].columns,
                                  .activation = t->activation,
                                  .epsilon = t->epsilon,
                                  .whole = true,
                                  .gated = true,
                                  .hidden_norm = true};
    const bool placed = vb_binder_has(t->binder, "visual.positional_embedding"); /* not in XL */
    const vb_sequence rows = {.positions =
                                  placed ? vb_binder_floats(t->binder, cells, facts.width, "visual.positional_embedding") : NULL};
    if ((placed && !rows.positions) || vb_binder_heads(t->binder, &facts.heads, facts.width, options->image.heads,
                                                       vb_family_heads(family->head_widths, facts.width), "image"))
        return VB_NO_VALUE;
    info->image_width = facts.width;
    info->image_heads = facts.heads;
    x = vb_program_sequence(t->program, x, &rows, t->err);
    return vb_transformer_emit(t->binder, &facts, x, "visual.transformer", &info->image_layers[STAGES]);
}

/* By the table of positions, or as it is stated: XL has no table. */
static int find_side(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info) {
    int grid, last[4];
    info->resolution = options->resolution ? options->resolution : family->resolution;
    if (vb_binder_shape(binder, 4, last, BACKBONE "pool.proj.weight")) return -1;
    if (last[0] == XL && !vb_binder_has(binder, "visual.positional_embedding")) return 0;
    if (vb_binder_grid(binder, PATCH, 0, &grid, "visual.positional_embedding")) return -1;
    if (!options->resolution) info->resolution = PATCH * grid;
    if ((info->resolution + PATCH - 1) / PATCH == grid) return 0;
    return vb_errorf(
        binder->err, VB_EMISMATCH,
        "a resolution of %d, but tensor visual.positional_embedding has rows for %d x %d cells of %d: expected %d to %d",
        info->resolution, grid, grid, PATCH, PATCH * (grid - 1) + 1, PATCH * grid);
}

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    vb_program *program = binder->program;
    const int *layers = info->image_layers;
    vb_linear projection;
    program->name = "ViTamin";
    info->patch = PATCH;
    if (find_side(binder, family, options, info)) return -1;
    const vb_tower_facts stated = vb_family_image_facts(family, options);
    info->image_epsilon = stated.epsilon;
    const tower t = {
        .binder = binder, .program = program, .err = binder->err, .activation = stated.activation, .epsilon = stated.epsilon};
    int x = emit_stem(&t, vb_program_pixels(program, info->resolution, binder->err));
    x = emit_stages(&t, info->image_layers, x);
    x = emit_norm(&t, BACKBONE "pool.norm", x);
    x = emit_conv(&t, 2, BACKBONE "pool.proj", x);
    if (x == VB_NO_VALUE) return -1;
    x = emit_transformer(&t, family, options, info, x);
    x = vb_program_mean(program, x, 0, binder->err);
    x = emit_norm(&t, "visual.ln_post", x);
    if (x == VB_NO_VALUE || vb_binder_projection(binder, &projection, info->image_width, false, embed, "visual.proj")) return -1;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, width %d, layers %d %d %d, %d heads", info->resolution,
             info->resolution, info->image_width, layers[0], layers[1], layers[2], info->image_heads);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}

/* Towers of 1152 (XL) have heads of 72, also of texts. */
static const vb_head_width heads[] = {{XL, 72}, {0}};
static const vb_family_sign signs[] = {{.has = {BACKBONE "stem.conv1.weight"}}, {{0}, {0}}};

const vb_family vb_family_vitamin = {
    .name = "vitamin",
    .published = "jienengchen/ViTamin-S, B, L, L2, XL of 224 to 384 pixels",
    .tested = "embeddings of open_clip (timm's towers) for a tiny model",
    .cache_key = 33,
    .signs = signs,
    .resolution = 256,
    .resolution_varies = true, /* of XL */
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .head_widths = heads,
    .text_head_widths = heads,
    .image = emit_image,
    .text = vb_text_tower_emit,
};
