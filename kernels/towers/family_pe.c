/* The Perception Encoder (PE-Core): rotary positions, pooling by a learned query, with CLIP's text tower.
 *
 * Sources: timm models/eva.py (vit_pe_core_*); facebookresearch/perception_models core/vision_encoder/pe.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/rotary.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

/* Columns come first; coordinates begin at 1 beside a class token, at 0 without (bigG). */
static int set_blocks(vb_binder *binder, int grid, vb_clip_info *info, vb_transformer_facts *facts) {
    (void)info;
    const bool class_row = vb_binder_has(binder, "visual.class_embedding");
    facts->rotation = vb_rotary_tables(binder->program,
                                       &(vb_rotary_grid){.grid = grid,
                                                         .head_dim = facts->width / facts->heads,
                                                         .skipped = class_row,
                                                         .column_first = true,
                                                         .offset = class_row,
                                                         .scale = 1},
                                       binder->err);
    return facts->rotation ? 0 : -1;
}

/* Source: timm's vit_pe_core_gigantic_patch14_448. */
static const vb_head_width heads[] = {{1536, 96}, {0}};

static const vb_family_pixels pixels = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}, .squash = true, .bilinear = true};

static const vb_family_sign signs[] = {{.has = {"visual.attn_pool.probe", "visual.ln_pre.weight"}}, {{0}, {0}}};

const vb_family vb_family_pe = {
    .name = "pe",
    .published = "PE-Core-T16-384, S16-384, B16-224, L14-336, G14-448",
    .tested = "embeddings of open_clip (timm's towers) for tiny models, in both publishers' names",
    .cache_key = 7,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .class_row_varies = true,
    .blocks = set_blocks,
    .image_pooling = VB_IMAGE_QUERY,
    .image_projection = VB_IMAGE_BIAS_VARIES,
    .pool_heads = 8,
    .pixels = &pixels,
    .signs = signs,
    .head_widths = heads,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
};
