/* SigLIP, and SigLIP 2 of fixed resolution: no class token, images pooled by a learned query, texts without a mask.
 *
 * Sources: timm vision_transformer.py (SigLIP models) and attention_pool.py, open_clip 3.3 transformer.py, transformers
 * modeling_siglip.py. */
#include "kernels/towers/family.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

/* SO400M, and the image tower of SigLIP 2's giant. */
static const vb_head_width heads[] = {{1152, 72}, {1536, 96}, {0}};

static const vb_family_pixels half = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}, .squash = true};

static const vb_family_sign signs[] = {
    {.has = {"visual.attn_pool.probe"},
     .lacks = {"visual.ln_pre.weight", "visual.class_embedding", "ln_encoder.weight", "visual.conv1.weight(2)"}},
    {.has = {"text_projection.bias", "token_embedding.weight"}, .lacks = {"visual.conv1.weight"}}, /* the text tower alone */
    {.has = {NULL}}};

const vb_family vb_family_siglip = {
    .name = "siglip",
    .published = "google/siglip-base-patch16-224, google/siglip2-base-patch16-224; timm/ViT-SO400M-14-SigLIP-384, "
                 "timm/ViT-gopt-16-SigLIP2-384",
    .tested = "embeddings of open_clip (timm's towers) and transformers for tiny models",
    .cache_key = 3,
    .activation_guess = "gelu",
    .activation_naming = "Hugging Face",
    .activation_hint = "activation: gelu (as open_clip encodes SigLIP, and the images of SigLIP 2 but for B/32, L/16-512, "
                       "SO400M/16 and its giant) "
                       "or activation: gelu_tanh (as SigLIP was trained)",
    .image_activation = VB_GELU_TANH,
    .text_activation = VB_GELU_TANH,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-6f,
    .patch_bias = true,
    .no_class_row = true,
    .image_pooling = VB_IMAGE_QUERY,
    .image_projection = VB_IMAGE_UNPROJECTED,
    .text_projection_bias = true,
    .text_unprojected_too = true, /* ViT-SO400M-16-SigLIP-i18n-256 */
    .text_mask = VB_MASK_NONE,
    .text_pooling = VB_POOLING_LAST,
    .head_widths = heads,
    .text_head_widths = heads,
    .pixels = &half,
    .signs = signs,
    .image = vb_vit_emit,
    .text = vb_text_tower_emit,
    .conventions = "siglip siglip2",
};
