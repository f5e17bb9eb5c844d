/* The families whose towers have OpenAI's shape: CLIP, SLIP and DeCLIP.
 *
 * Sources: OpenAI CLIP model.py; SLIP models.py with timm's VisionTransformer; DeCLIP's text_encoder/transformer.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/resnet.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

/* An image tower under OpenAI's names: a ModifiedResNet or a ViT. */
static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    return (vb_resnet_found(binder) ? vb_resnet_emit : vb_vit_emit)(binder, family, options, info, embed);
}

/* Sources: open_clip's model configurations of ViT-H-14, ViT-g-14 and ViT-bigG-14 ("head_width"; OpenAI published no tower of
 * these widths); SLIP's vit_small_mocov3_patch16_224 (12 heads).
 * Widths of 1152, 1536 and 1792 were published with heads of 72, 96
 * and 112, which other files of such a width need not have. */
static const vb_head_width clip_heads[] = {{1280, 80}, {1408, 88}, {1664, 104}, {1152, 0}, {1536, 0}, {1792, 0}, {0}};
static const vb_head_width clip_text_heads[] = {{1152, 0}, {0}};
static const vb_head_width slip_heads[] = {{384, 32}, {0}};

const vb_family vb_family_clip = {
    .name = "clip",
    .published = "OpenAI's ViT-B/32 to L/14@336 and RN50 to RN50x64; LAION's, DataComp's and CommonPool's ViTs up to bigG; "
                 "DFN2B, DFN5B; MetaCLIP, MetaCLIP 2; Long-CLIP; TinyCLIP",
    .tested = "embeddings of OpenAI's code and open_clip for tiny models of both towers, of transformers for repository folders",
    .cache_key = 0,
    .activation_guess = "quick_gelu",
    .activation_hint = "activation: quick_gelu (OpenAI's, MetaCLIP, DFN, and open_clip's models with quickgelu in their name) or "
                       "activation: gelu (open_clip's others: LAION, DataComp, CommonPool)",
    .image_activation = VB_QUICK_GELU,
    .text_activation = VB_QUICK_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .resnets = true,
    .ln_pre = true,
    .head_widths = clip_heads,
    .text_head_widths = clip_text_heads,
    .image = emit_image,
    .text = vb_text_tower_emit,
    .conventions = "openai xlm_roberta siglip", /* the second is MetaCLIP 2's, the third of its models of mT5's vocabulary */
};

const vb_family vb_family_slip = {
    .name = "slip",
    .published = "slip_small_100ep.pt, slip_base_100ep.pt, slip_large_100ep.pt",
    .tested = "embeddings of the publishers' code for a tiny model",
    .cache_key = 1,
    .image_activation = VB_GELU,
    .text_activation = VB_QUICK_GELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .patch_bias = true,
    .head_widths = slip_heads,
    .image = emit_image,
    .text = vb_text_tower_emit,
};

const vb_family vb_family_declip = {
    .name = "declip",
    .published = "vitb32.pth.tar, and the ResNet-50 beside it",
    .tested = "embeddings of the publishers' code for a tiny model",
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
    .text = vb_text_tower_emit,
};
