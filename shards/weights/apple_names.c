/* Sources: ml-mobileclip's models/mci.py, modules/common/mobileone.py, modules/image/replknet.py, text_encoder.py; timm 1.0
 * fastvit.py and vision_transformer_hybrid.py (checkpoint_filter_fn). */
#include "shards/weights/apple_names.h"

#include <stddef.h>

/* Transformer blocks, of texts and of B's images. */
#define BLOCKS(apple, canonical)                                                                                                 \
    {apple "transformer.#.pre_norm_mha.0.$", canonical "transformer.resblocks.#.ln_1.$"},                                        \
        {apple "transformer.#.pre_norm_mha.1.qkv_proj.weight", canonical "transformer.resblocks.#.attn.in_proj_weight"},         \
        {apple "transformer.#.pre_norm_mha.1.qkv_proj.bias", canonical "transformer.resblocks.#.attn.in_proj_bias"},             \
        {apple "transformer.#.pre_norm_mha.1.out_proj.$", canonical "transformer.resblocks.#.attn.out_proj.$"},                  \
        {apple "transformer.#.pre_norm_ffn.0.$", canonical "transformer.resblocks.#.ln_2.$"},                                    \
        {apple "transformer.#.pre_norm_ffn.1.$", canonical "transformer.resblocks.#.mlp.c_fc.$"}, {                              \
        apple "transformer.#.pre_norm_ffn.4.$", canonical "transformer.resblocks.#.mlp.c_proj.$"                                 \
    }
#define TEXTS                                                                                                                    \
    {"text_encoder.embedding_layer.weight", "token_embedding.weight"},                                                           \
        {"text_encoder.positional_embedding.pos_embed.pos_embed", "positional_embedding"}, BLOCKS("text_encoder.", ""),          \
        {"text_encoder.final_layer_norm.$", "ln_final.$"}, {"text_encoder.projection_layer", "text_projection"}, {               \
        "logit_scale", NULL                                                                                                      \
    }

const vb_bert_names_rule vb_apple_names_b[] = {
    {"image_encoder.model.patch_emb.#.block.conv.$", "visual.trunk.patch_embed.backbone.#.conv.$"},
    {"image_encoder.model.patch_emb.#.block.norm.@", "visual.trunk.patch_embed.backbone.#.bn.@"},
    {"image_encoder.model.cls_token", "visual.class_embedding"},
    {"image_encoder.model.pos_embed.pos_embed.pos_embed", "visual.positional_embedding"},
    BLOCKS("image_encoder.model.", "visual."),
    {"image_encoder.model.post_transformer_norm.$", "visual.ln_post.$"},
    {"image_encoder.model.classifier.proj", "visual.proj"},
    TEXTS,
    {0}};

/* A MobileOneBlock: its branches, or what they are folded into. */
#define BRANCHES(apple, timm)                                                                                                    \
    {apple "rbr_conv.#.conv.weight", timm "conv_kxk.#.conv.weight"}, {apple "rbr_conv.#.bn.@", timm "conv_kxk.#.bn.@"},          \
        {apple "rbr_scale.conv.weight", timm "conv_scale.conv.weight"}, {apple "rbr_scale.bn.@", timm "conv_scale.bn.@"},        \
        {apple "rbr_skip.@", timm "identity.@"}, {                                                                               \
        apple "reparam_conv.$", timm "reparam_conv.$"                                                                            \
    }
/* A block of mixer or attention, and its MLP. */
#define BLOCK(apple, timm)                                                                                                       \
    BRANCHES(apple "token_mixer.mixer.", timm "token_mixer.mixer."),                                                             \
        BRANCHES(apple "token_mixer.norm.", timm "token_mixer.norm."),                                                           \
        {apple "token_mixer.layer_scale", timm "token_mixer.layer_scale.gamma"},                                                 \
        {apple "token_mixer.reparam_conv.$", timm "token_mixer.reparam_conv.$"},                                                 \
        {apple "token_mixer.qkv.weight", timm "token_mixer.qkv.weight"},                                                         \
        {apple "token_mixer.proj.$", timm "token_mixer.proj.$"}, {apple "norm.@", timm "norm.@"},                                \
        {apple "layer_scale", timm "layer_scale.gamma"}, {apple "layer_scale_1", timm "layer_scale_1.gamma"},                    \
        {apple "layer_scale_2", timm "layer_scale_2.gamma"}, {apple "convffn.conv.conv.weight", timm "mlp.conv.conv.weight"},    \
        {apple "convffn.conv.bn.@", timm "mlp.conv.bn.@"}, {apple "convffn.fc1.$", timm "mlp.fc1.$"}, {                          \
        apple "convffn.fc2.$", timm "mlp.fc2.$"                                                                                  \
    }
/* The halving of the picture in front of a stage. */
#define HALVING(apple, timm)                                                                                                     \
    {apple "proj.0.lkb_origin.conv.weight", timm "proj.0.large_conv.conv.weight"},                                               \
        {apple "proj.0.lkb_origin.bn.@", timm "proj.0.large_conv.bn.@"},                                                         \
        {apple "proj.0.small_conv.conv.weight", timm "proj.0.small_conv.conv.weight"},                                           \
        {apple "proj.0.small_conv.bn.@", timm "proj.0.small_conv.bn.@"},                                                         \
        {apple "proj.0.lkb_reparam.$", timm "proj.0.reparam_conv.$"}, {apple "proj.0.se.fc1.$", timm "proj.0.se.fc1.$"},         \
        {apple "proj.0.se.fc2.$", timm "proj.0.se.fc2.$"}, BRANCHES(apple "proj.1.", timm "proj.1.")
#define IMAGE "image_encoder.model."
#define TRUNK "visual.trunk."

/* Apple numbers what timm calls stages, halvings and positions one after the other; all published models have these. */
const vb_bert_names_rule vb_apple_names_s[] = {BRANCHES(IMAGE "patch_embed.#.", TRUNK "stem.#."),
                                               BLOCK(IMAGE "network.0.#.", TRUNK "stages.0.blocks.#."),
                                               HALVING(IMAGE "network.1.", TRUNK "stages.1.downsample."),
                                               BLOCK(IMAGE "network.2.#.", TRUNK "stages.1.blocks.#."),
                                               HALVING(IMAGE "network.3.", TRUNK "stages.2.downsample."),
                                               BLOCK(IMAGE "network.4.#.", TRUNK "stages.2.blocks.#."),
                                               HALVING(IMAGE "network.5.", TRUNK "stages.3.downsample."),
                                               {IMAGE "network.6.pe.$", TRUNK "stages.3.pos_emb.pos_enc.$"},
                                               {IMAGE "network.6.reparam_conv.$", TRUNK "stages.3.pos_emb.reparam_conv.$"},
                                               BLOCK(IMAGE "network.7.#.", TRUNK "stages.3.blocks.#."),
                                               BRANCHES(IMAGE "conv_exp.", TRUNK "final_conv."),
                                               {IMAGE "conv_exp.se.reduce.$", TRUNK "final_conv.se.fc1.$"},
                                               {IMAGE "conv_exp.se.expand.$", TRUNK "final_conv.se.fc2.$"},
                                               {IMAGE "head.proj", "visual.proj"},
                                               BLOCK("text_encoder.transformer.#.", "transformer.mixers.#."),
                                               TEXTS,
                                               {0}};
