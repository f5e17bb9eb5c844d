/* EVA-CLIP: EVA-01 g, EVA-02 E (post-norm), EVA-02 B and L (rotary positions, SwiGLU, inner norms), with CLIP's text tower.
 *
 * Sources: timm models/eva.py and layers/mlp.py (SwiGLU); BAAI's EVA-CLIP, eva_clip/eva_vit_model.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/rotary.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

#define BLOCK "visual.transformer.resblocks.0."

/* The angles are those of a grid of 16 x 16, over which any other is stretched. */
enum { TRAINED_GRID = 16 };

/* Names and shapes of EVA-01 g and EVA-02 E are the same, but for the hidden layers: 6144 of 1408 (4.36), 15360 of 1792
 * (8.57). */
static int find_post_norms(const vb_binder *binder, vb_transformer_facts *facts) {
    int hidden[2];
    if (vb_binder_shape(binder, 2, hidden, BLOCK "mlp.c_fc.weight")) return -1;
    const double ratio = (double)hidden[0] / facts->width;
    facts->post_norms = ratio > 8;
    if ((ratio > 4 && ratio < 5) || (ratio > 8 && ratio < 9)) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH,
                     "tensor " BLOCK "mlp.c_fc.weight has %d rows at width %d: expected 4.36 times the width (EVA-01 g, norms "
                     "first) or 8.57 times (EVA-02 E, norms last); nothing else tells which of the two it is",
                     hidden[0], facts->width);
}

static int set_blocks(vb_binder *binder, int grid, vb_clip_info *info, vb_transformer_facts *facts) {
    facts->key_without_bias = true;
    info->image_gated = facts->gated = facts->inner_norms = vb_binder_has(binder, BLOCK "mlp.c_gate.weight");
    if (!facts->gated) return find_post_norms(binder, facts);
    facts->activation = VB_SILU;
    facts->rotation = vb_rotary_tables(binder->program,
                                       &(vb_rotary_grid){.grid = grid,
                                                         .head_dim = facts->width / facts->heads,
                                                         .skipped = 1,
                                                         .scale = (double)TRAINED_GRID / grid},
                                       binder->err);
    return facts->rotation ? 0 : -1;
}

/* Source: timm's eva_giant_patch14_clip_224 and eva02_enormous_patch14_clip_224. */
static const vb_head_width heads[] = {{1408, 88}, {1792, 112}, {0}};

static const vb_family_sign signs[] = {{.has = {"visual.class_embedding", BLOCK "attn.q_proj.bias"},
                                        .lacks = {BLOCK "attn.k_proj.bias"}},
                                       {{0}, {0}}};

const vb_family vb_family_eva = {
    .name = "eva",
    .published = "EVA01-g-14, EVA01-g-14-plus; EVA02-B-16, L-14, L-14-336, E-14, E-14-plus",
    .tested = "embeddings of open_clip (timm's towers) for tiny models, in both publishers' names",
    .cache_key = 6,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .patch_bias = true,
    .blocks = set_blocks,
    .image_projection = VB_IMAGE_MATRIX_AND_BIAS,
    .signs = signs,
    .head_widths = heads,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
};
