/* EVA-CLIP: EVA-01 g, EVA-02 E (post-norm), EVA-02 B and L (rotary positions, SwiGLU, inner norms), with CLIP's text tower.
 *
 * Sources: timm models/eva.py and layers/mlp.py (SwiGLU); BAAI's EVA-CLIP, eva_clip/eva_vit_model.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/rotary.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/transformer.h"
#include "kernels/towers/vit.h"

#define BLOCK "visual.transformer.resblocks.0."

/* The angles are those of a grid of 16 x 16, over which any other is stretched. */
enum { TRAINED_GRID = 16 };

/* Names and shapes of EVA-01 g and EVA-02 E are the same, but for the hidden layers: 6144 of 1408 (4.36), 15360 of 1792 (8.57). */
static int find_post_norms(const vb_binder *binder, int width, bool *post_norms) {
    int hidden[2];
    if (vb_binder_shape(binder, 2, hidden, BLOCK "mlp.c_fc.weight")) return -1;
    const double ratio = (double)hidden[0] / width;
    *post_norms = ratio > 8;
    if ((ratio > 4 && ratio < 5) || (ratio > 8 && ratio < 9)) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH,
                     "tensor " BLOCK
                     "mlp.c_fc.weight has %d rows at width %d: expected 4.36 widths (EVA-01 g, norms first) or 8.57 "
                     "(EVA-02 E, norms last), and nothing else tells which it is",
                     hidden[0], width);
}

static int measure_blocks(vb_binder *binder, const vb_family *family, const vb_tower_facts *stated, int grid, vb_clip_info *info,
                          vb_transformer_facts *facts, vb_rotation *rotation) {
    const int width = info->image_width;
    info->image_gated = vb_binder_has(binder, BLOCK "mlp.c_gate.weight");
    info->image_epsilon = stated->epsilon > 0 ? stated->epsilon : family->image_epsilon;
    *facts = (vb_transformer_facts){.width = width,
                                    .epsilon = info->image_epsilon,
                                    .activation = stated->activation_known ? stated->activation : family->image_activation,
                                    .pooled = VB_PICK_FIRST,
                                    .key_without_bias = true,
                                    .gated = info->image_gated,
                                    .inner_norms = info->image_gated};
    if (vb_binder_heads(binder, &facts->heads, width, stated->heads, vb_family_heads(family->head_widths, width), "image"))
        return -1;
    info->image_heads = facts->heads;
    if (!facts->gated) return find_post_norms(binder, width, &facts->post_norms);
    facts->activation = VB_SILU;
    facts->rotation = rotation;
    const vb_rotary_grid angles = {.grid = grid,
                                   .head_dim = width / facts->heads,
                                   .skipped = 1,
                                   .scale = (double)TRAINED_GRID / grid};
    return vb_rotary_tables(binder->program, &angles, rotation, binder->err);
}

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    vb_program *program = binder->program;
    vb_transformer_facts facts;
    vb_rotation rotation;
    vb_norm norm;
    vb_linear projection;
    int grid;
    program->name = "EVA ViT";
    if (vb_vit_measure(binder, options->resolution, info, &grid) ||
        measure_blocks(binder, family, &options->image, grid, info, &facts, &rotation))
        return -1;
    int x = vb_vit_rows(binder, family, info, grid);
    if (x != VB_NO_VALUE) x = vb_transformer_emit(binder, &facts, x, "visual.transformer", &info->image_layers[0]);
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, facts.width, facts.epsilon, "visual.ln_post") ||
        vb_binder_projection(binder, &projection, facts.width, embed, "visual.proj") ||
        !(projection.bias = vb_binder_floats(binder, *embed, 0, "visual.proj.bias")))
        return -1;
    vb_vit_summarise(program, info);
    x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}

/* Source: timm's eva_giant_patch14_clip_224 and eva02_enormous_patch14_clip_224. */
static const vb_head_width eva_heads[] = {{1408, 88}, {1792, 112}, {0}};

const vb_family vb_family_eva = {
    .name = "eva",
    .cache_key = 6,
    .own_names = true,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .patch_bias = true,
    .head_widths = eva_heads,
    .image = emit_image,
    .text = vb_text_tower_emit,
};
