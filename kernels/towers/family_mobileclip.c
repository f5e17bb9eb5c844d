/* Apple's MobileCLIP and MobileCLIP2: B, a ViT behind a stem of convolutions, and S0 to S4, FastViT.
 *
 * Sources: timm 1.0 vision_transformer_hybrid.py (vit_base_mci_224, ConvStem) and fastvit.py; open_clip 3.3's configurations of
 * MobileCLIP-* and MobileCLIP2-*. MobileCLIP2-L-14 is a plain ViT. */
#include <stdio.h>

#include "kernels/towers/family.h"
#include "kernels/towers/fastvit.h"
#include "kernels/towers/fold.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

enum { STEM = 3, PATCH = 16 };

/* Three convolutions whose filters lie side by side, 4 x 4, 2 x 2 and 2 x 2: BatchNorm and activation behind the first two, a
 * bias in the last one. */
static int emit_stem(vb_binder *binder, vb_activation activation, int x) {
    static const char backbone[] = "visual.trunk.patch_embed.backbone";
    for (int i = 0; i < STEM && x != VB_NO_VALUE; i++) {
        const int in = binder->program->values[x].columns;
        const bool last = i + 1 == STEM;
        int shape[4];
        vb_convolution conv = {.kernel = i ? 2 : 4, .stride = i ? 2 : 4, .last = last ? VB_LINEAR : activation};
        if (vb_binder_shape(binder, 4, shape, "%s.%d.conv.weight", backbone, i) ||
            vb_binder_filter(binder, &conv.weight, shape[0], in, conv.kernel, "%s.%d.conv.weight", backbone, i) ||
            (last ? !(conv.bias = vb_binder_floats(binder, shape[0], 0, "%s.%d.conv.bias", backbone, i)) :
                    vb_fold_norm(binder, shape[0], 0, &conv.scale, &conv.bias, "%s.%d.bn", backbone, i)))
            return VB_NO_VALUE;
        x = vb_program_conv(binder->program, x, &conv, VB_NO_VALUE, binder->err);
    }
    return x;
}

/* The class token, which has no position, and the patches. */
static int emit_rows(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info, int grid) {
    vb_program *program = binder->program;
    const vb_activation activation = vb_family_image_facts(family, options).activation;
    int x = emit_stem(binder, activation, vb_program_pixels(program, info->resolution, binder->err));
    if (x == VB_NO_VALUE) return x;
    const int width = program->values[x].columns;
    info->image_width = width;
    const vb_sequence rows = {.lead = VB_LEAD_ROW,
                              .row = vb_binder_floats(binder, width, 0, "visual.class_embedding"),
                              .positions = vb_binder_floats(binder, (int64_t)grid * grid, width, "visual.positional_embedding")};
    if (!rows.row || !rows.positions) return VB_NO_VALUE;
    x = vb_program_sequence(program, x, &rows, binder->err);
    vb_transformer_facts facts = {.width = width,
                                  .activation = activation,
                                  .epsilon = info->image_epsilon,
                                  .pooled = VB_PICK_FIRST};
    const int usual = vb_family_heads(family->head_widths, width);
    if (vb_binder_heads(binder, &facts.heads, width, options->image.heads, usual, "image")) return VB_NO_VALUE;
    info->image_heads = facts.heads;
    return vb_transformer_emit(binder, &facts, x, "visual.transformer", &info->image_layers[0]);
}

static int emit_hybrid(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                       int *embed) {
    vb_program *program = binder->program;
    vb_norm norm;
    vb_linear projection;
    int grid;
    program->name = "ViT behind convolutions";
    if (vb_binder_grid(binder, PATCH, 0, &grid, "visual.positional_embedding")) return -1;
    info->patch = PATCH;
    if (vb_vit_side(binder, grid, options->resolution, info)) return -1;
    info->image_epsilon = vb_family_image_facts(family, options).epsilon;
    int x = emit_rows(binder, family, options, info, grid);
    if (x == VB_NO_VALUE || vb_binder_norm(binder, &norm, info->image_width, info->image_epsilon, "visual.ln_post") ||
        vb_binder_projection(binder, &projection, info->image_width, vb_binder_has(binder, "visual.proj.weight"), embed,
                             "visual.proj"))
        return -1;
    snprintf(program->summary, sizeof program->summary, "%d x %d pixels, patches of %d, width %d, %d layers, %d heads",
             info->resolution, info->resolution, PATCH, info->image_width, info->image_layers[0], info->image_heads);
    x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}

static const vb_family_pixels plain = {.std = {1, 1, 1}, .bilinear = true};

static const vb_family_sign hybrid_signs[] = {{.has = {"visual.trunk.patch_embed.backbone.0.bn.weight"}}, {{0}, {0}}};

const vb_family vb_family_mobileclip_b = {
    .name = "mobileclip_b",
    .published = "MobileCLIP-B, MobileCLIP-B (LT), MobileCLIP2-B",
    .tested = "embeddings of open_clip (timm's towers) for a tiny model",
    .cache_key = 31,
    .signs = hybrid_signs,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .pixels = &plain,
    .image = emit_hybrid,
    .text = vb_text_tower_emit,
};

static const vb_family_sign fastvit_signs[] = {{.has = {"visual.trunk.stages.0.blocks.0.token_mixer.reparam_conv.weight"}},
                                               {.has = {"visual.trunk.stages.0.blocks.0.token_mixer.norm.identity.weight"}},
                                               {{0}, {0}}};

const vb_family vb_family_mobileclip_s = {
    .name = "mobileclip_s",
    .published = "MobileCLIP-S0, S1, S2; MobileCLIP2-S0, S2, S3, S4",
    .tested = "embeddings of open_clip (timm's towers) for tiny models, branches apart and folded",
    .cache_key = 32,
    .signs = fastvit_signs,
    .fixed_heads = true,
    .resolution = 256,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .text_mask = VB_MASK_NONE,
    .text_mixers = true,
    .pixels = &plain,
    .image = vb_fastvit_emit,
    .text = vb_text_tower_emit,
};
