/* Families of open_clip's own VisionTransformer beyond CLIP: CLIPA and OpenVision, MobileCLIP2-L-14.
 *
 * Sources: open_clip 3.3 transformer.py and its model configurations; UCSC-VLAA's OpenVision; timm vision_transformer.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

#define MEAN_VIT(context)                                                                                                        \
    {                                                                                                                            \
        .has = {"visual.class_embedding", "visual.transformer.resblocks.0.ln_1.weight", "positional_embedding[" #context "]"},   \
        .lacks =                                                                                                                 \
        { "visual.ln_pre.weight",                                                                                                \
          "visual.conv1.bias",                                                                                                   \
          "visual.attn_pool.probe" }                                                                                             \
    }

/* ImageNet's. */
static const vb_family_pixels imagenet = {.mean = {0.485f, 0.456f, 0.406f},
                                          .std = {0.229f, 0.224f, 0.225f},
                                          .squash = true,
                                          .bilinear = true};

/* Their files have the same tensors: the published contexts tell them apart. */
static const vb_family_sign clipa_signs[] = {MEAN_VIT(32), {{0}, {0}}};
static const vb_family_sign openvision_signs[] = {MEAN_VIT(80), {{0}, {0}}};

static const vb_head_width clipa_heads[] = {{1280, 80}, {1664, 104}, {0}};
static const vb_head_width openvision_heads[] = {{1152, 72}, {1280, 80}, {0}};

const vb_family vb_family_clipa = {
    .name = "clipa",
    .published = "ViT-L-14-CLIPA, L-14-CLIPA-336, H-14-CLIPA, H-14-CLIPA-336, bigG-14-CLIPA, bigG-14-CLIPA-336",
    .tested = "embeddings of open_clip for a tiny model and a repository folder",
    .cache_key = 40,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .image_pooling = VB_IMAGE_MEAN,
    .text_mask = VB_MASK_NONE,
    .text_pooling = VB_POOLING_LAST,
    .head_widths = clipa_heads,
    .pixels = &imagenet,
    .conventions = "clipa",
    .signs = clipa_signs,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
};

const vb_family vb_family_openvision = {
    .name = "openvision",
    .published = "UCSC-VLAA's OpenVision, ViT-Ti/16 to H/14 and SO400M",
    .tested = "embeddings of open_clip for a tiny model",
    .cache_key = 41,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU_TANH,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-6f,
    .image_pooling = VB_IMAGE_MEAN,
    .text_mask = VB_MASK_NONE,
    .text_pooling = VB_POOLING_LAST,
    .head_widths = openvision_heads,
    .text_head_widths = openvision_heads,
    .pixels = &imagenet,
    .conventions = "clipa",
    .signs = openvision_signs,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
};

/* A plain CLIP in timm's names but for the projection's bias; texts see all their rows. */
static const vb_family_sign mobileclip_l_signs[] = {
    {.has = {"visual.class_embedding", "visual.ln_pre.weight", "visual.proj.bias"}, .lacks = {"visual.attn_pool.probe"}},
    {{0}, {0}}};

const vb_family vb_family_mobileclip_l = {
    .name = "mobileclip_l",
    .published = "MobileCLIP2-L-14",
    .tested = "embeddings of open_clip (timm's tower) for a tiny model",
    .cache_key = 42,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .image_projection = VB_IMAGE_MATRIX_AND_BIAS,
    .text_mask = VB_MASK_NONE,
    .signs = mobileclip_l_signs,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
};
