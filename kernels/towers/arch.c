/* The families' table: what each publishes differently, as data. */
#include "kernels/towers/binder.h"

#include <string.h>

/* Sources: OpenAI CLIP model.py; SLIP models.py with timm's VisionTransformer; DeCLIP's text_encoder/transformer.py. */
static const vb_family families[] = {
    {.name = "clip",
     .image_activation = VB_QUICK_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-5f,
     .text_epsilon = 1e-5f,
     .resnets = true,
     .patch_bias = false,
     .ln_pre = true,
     .text_projection_bias = false},
    {.name = "slip",
     .image_activation = VB_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-6f,
     .text_epsilon = 1e-5f,
     .resnets = false,
     .patch_bias = true,
     .ln_pre = false,
     .text_projection_bias = false},
    {.name = "declip",
     .image_activation = VB_QUICK_GELU,
     .text_activation = VB_QUICK_GELU,
     .image_epsilon = 1e-5f,
     .text_epsilon = 1e-5f,
     .resnets = true,
     .patch_bias = false,
     .ln_pre = true,
     .text_projection_bias = true},
};

/* Heads are 64 wide but for these towers. Sources: SLIP's vit_small_mocov3_patch16_224 (12 heads); open_clip's model
 * configurations of ViT-H-14, ViT-g-14 and ViT-bigG-14 ("head_width"). OpenAI published no tower of these widths. */
static const struct {
    const char *family;
    int width, head_width;
} odd_heads[] = {{"slip", 384, 32}, {"clip", 1280, 80}, {"clip", 1408, 88}, {"clip", 1664, 104}};

const vb_family *vb_family_table(size_t *count) {
    *count = sizeof families / sizeof *families;
    return families;
}

const vb_family *vb_family_find(const char *name) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strcmp(name, families[i].name)) return &families[i];
    return NULL;
}

int vb_arch_vit_heads(const vb_family *family, int width) {
    for (size_t i = 0; i < sizeof odd_heads / sizeof *odd_heads; i++)
        if (odd_heads[i].width == width && !strcmp(odd_heads[i].family, family->name)) return width / odd_heads[i].head_width;
    return width / 64;
}
