/* SigLIP 2 NaFlex: images keep their shape and are cut into as many patches as are allowed; each sees its own patches only.
 *
 * transformers pads all images of a batch to the same number of patches and masks what is padded, in the blocks and in the
 * pooling: that changes nothing, so that rows of padding are not computed here. Sources: transformers 5.24 modeling_siglip2.py,
 * configuration_siglip2.py, image_processing_siglip2.py. */
#include <math.h>
#include <stdio.h>

#include "kernels/towers/family.h"
#include "kernels/towers/map_pool.h"
#include "kernels/towers/text_tower.h"

/* The patch's side, from the columns of its linear layer. */
static int measure(vb_binder *binder, vb_clip_info *info, int *side) {
    int patches[2];
    if (vb_binder_shape(binder, 2, patches, "visual.conv1.weight")) return -1;
    info->image_width = patches[0];
    info->patch = (int)lround(sqrt(patches[1] / 3.0));
    if (3 * info->patch * info->patch != patches[1])
        return vb_errorf(binder->err, VB_EMISMATCH,
                         "tensor visual.conv1.weight has %d columns, expected 3 for each pixel of a square", patches[1]);
    if (vb_binder_grid(binder, info->patch, 0, side, "visual.positional_embedding")) return -1;
    info->positions = *side * *side;
    return 0;
}

static int emit_rows(vb_binder *binder, const vb_clip_info *info, int side) {
    vb_patches patches = {.patch = info->patch, .side = side};
    const int width = info->image_width;
    if (vb_binder_linear(binder, &patches.linear, width, 3 * info->patch * info->patch, "visual.conv1") ||
        !(patches.positions = vb_binder_floats(binder, info->positions, width, "visual.positional_embedding")))
        return VB_NO_VALUE;
    return vb_program_patches(binder->program, info->max_patches, &patches, binder->err);
}

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    vb_program *program = binder->program;
    const vb_tower_facts stated = vb_family_image_facts(family, options);
    vb_norm norm;
    int side;
    program->name = "ViT";
    info->max_patches = options->max_patches ? options->max_patches : family->max_patches;
    info->image_epsilon = stated.epsilon;
    if (measure(binder, info, &side) || vb_binder_heads(binder, &info->image_heads, info->image_width, stated.heads,
                                                        vb_family_heads(family->head_widths, info->image_width), "image"))
        return -1;
    const vb_transformer_facts facts = {.width = info->image_width,
                                        .heads = info->image_heads,
                                        .activation = stated.activation,
                                        .epsilon = stated.epsilon,
                                        .whole = true};
    const vb_map_pool pool = {.width = facts.width,
                              .heads = facts.heads,
                              .activation = facts.activation,
                              .epsilon = facts.epsilon};
    int x = emit_rows(binder, info, side);
    if (x != VB_NO_VALUE) x = vb_transformer_emit(binder, &facts, x, "visual.transformer", &info->image_layers[0]);
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, facts.width, facts.epsilon, "visual.ln_post")) return -1;
    x = vb_map_pool_emit(binder, &pool, vb_program_norm(program, x, &norm, binder->err), "visual.attn_pool");
    *embed = facts.width;
    snprintf(program->summary, sizeof program->summary, "up to %d patches of %d in any shape, width %d, %d layers, %d heads",
             info->max_patches, info->patch, facts.width, info->image_layers[0], facts.heads);
    return vb_program_finish(program, x, binder->err);
}

static const vb_head_width heads[] = {{1152, 72}, {0}}; /* SO400M */

static const vb_family_pixels half = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}, .bilinear = true};

static const vb_family_sign signs[] = {{.has = {"visual.attn_pool.probe", "visual.conv1.weight(2)"}}, {.has = {NULL}}};

const vb_family vb_family_naflex = {
    .name = "naflex",
    .published = "google/siglip2-base-patch16-naflex, google/siglip2-so400m-patch16-naflex",
    .tested = "embeddings of transformers for a tiny model",
    .cache_key = 8,
    .max_patches = 256,
    .image_activation = VB_GELU_TANH,
    .text_activation = VB_GELU_TANH,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-6f,
    .text_projection_bias = true,
    .text_mask = VB_MASK_NONE,
    .text_pooling = VB_POOLING_LAST,
    .head_widths = heads,
    .text_head_widths = heads,
    .pixels = &half,
    .signs = signs,
    .image = emit_image,
    .text = vb_text_tower_emit,
    .conventions = "siglip2",
};
