/* The families' table: what each publishes differently, as data. */
#include "kernels/towers/family.h"

#include <stdio.h>
#include <string.h>

#include "kernels/towers/resnet.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

/* An image tower under OpenAI's names: a ModifiedResNet or a ViT. */
static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    return (vb_resnet_found(binder) ? vb_resnet_emit : vb_vit_emit)(binder, family, options, info, embed);
}

/* Sources: open_clip's model configurations of ViT-H-14, ViT-g-14 and ViT-bigG-14 ("head_width"; OpenAI published no tower of
 * these widths); SLIP's vit_small_mocov3_patch16_224 (12 heads). */
static const vb_head_width clip_heads[] = {{1280, 80}, {1408, 88}, {1664, 104}, {0}};
static const vb_head_width slip_heads[] = {{384, 32}, {0}};

/* Sources: OpenAI CLIP model.py; SLIP models.py with timm's VisionTransformer; DeCLIP's text_encoder/transformer.py. */
static const vb_family families[] = {
    {.name = "clip",
     .cache_key = 0,
     .note = "OpenAI's. The file does not tell: open_clip's models without 'quickgelu' in their name need activation: gelu",
     .image_activation = VB_QUICK_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-5f,
     .text_epsilon = 1e-5f,
     .resnets = true,
     .ln_pre = true,
     .head_widths = clip_heads,
     .image = emit_image,
     .text = vb_text_tower_emit},
    {.name = "slip",
     .cache_key = 1,
     .image_activation = VB_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-6f,
     .text_epsilon = 1e-5f,
     .patch_bias = true,
     .head_widths = slip_heads,
     .image = emit_image,
     .text = vb_text_tower_emit},
    {.name = "declip",
     .cache_key = 2,
     .mask_token = true,
     .image_activation = VB_QUICK_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-5f,
     .text_epsilon = 1e-5f,
     .resnets = true,
     .ln_pre = true,
     .text_projection_bias = true,
     .image = emit_image,
     .text = vb_text_tower_emit},
};
enum { FAMILIES = sizeof families / sizeof *families };

const vb_family *vb_family_table(size_t *count) {
    *count = FAMILIES;
    return families;
}

const vb_family *vb_family_find(const char *name) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (!strcmp(name, families[i].name)) return &families[i];
    return NULL;
}

const char *vb_family_names(char *text, size_t size, const char *separator) {
    size_t used = 0;
    *text = 0;
    for (size_t i = 0; i < FAMILIES && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? separator : "", families[i].name);
    return text;
}

const vb_family *vb_family_guess(const vb_tensor_set *weights) {
    const bool patch_bias = vb_tensor_find(weights, "visual.conv1.bias"),
               ln_pre = vb_tensor_find(weights, "visual.ln_pre.weight");
    const bool text_bias = vb_tensor_find(weights, "text_projection.bias");
    const bool vit = vb_tensor_find(weights, "visual.class_embedding");
    const bool text =
        text_bias || vb_tensor_find(weights, "text_projection") || vb_tensor_find(weights, "text_projection.weight");
    for (size_t i = FAMILIES; i--;) {
        const vb_family *family = &families[i];
        if ((!vit || (family->patch_bias == patch_bias && family->ln_pre == ln_pre)) && (vit || family->resnets) &&
            (!text || family->text_projection_bias == text_bias))
            return family;
    }
    return NULL;
}
