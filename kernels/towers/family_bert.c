/* CLIPs whose texts are encoded by a tower of BERT's kind: RoBERTa and XLM-RoBERTa, AltCLIP, Chinese-CLIP, ALIGN, NLLB-CLIP.
 *
 * Sources: open_clip 3.3 hf_model.py and its model configurations; transformers 5.24 modeling_bert.py, modeling_xlm_roberta.py,
 * modeling_altclip.py, modeling_chinese_clip.py, modeling_align.py, modeling_m2m_100.py. Each text is computed up to its
 * padding, which is masked there: what is masked changes nothing. */
#include <math.h>
#include <stdio.h>

#include "kernels/towers/efficientnet.h"
#include "kernels/towers/family.h"
#include "kernels/towers/text_input.h"
#include "kernels/towers/transformer.h"
#include "kernels/towers/vit.h"

/* How the text towers differ. */
typedef struct tower {
    const char *name;
    int pad;         /* the id that fills texts up */
    int first;       /* position of a text's first row */
    bool computed;   /* positions are sines and cosines, and not in the file; token rows are scaled by the root of the width */
    bool pre_norm;   /* norms in front of attention and MLP, and one at the end; else behind the sums, and one in front of all */
    bool mean;       /* the mean of a text's rows is pooled, else the first one */
    bool bias;       /* the projection has one */
    bool hidden_gap; /* between pooling and projection: norm and layer (AltCLIP); else a layer without bias, and GELU */
} tower;

/* ---- the table of positions ---- */

/* Sines, then cosines, of the position times frequencies. Source: M2M100SinusoidalPositionalEmbedding.get_embedding, which
 * computes in single precision. */
static void compute_positions(float *table, int rows, int width, int first) {
    const int half = width / 2;
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < half; k++) {
            const double angle = (double)(i + first) * exp(-(double)k * log(10000.0) / (half - 1));
            table[(int64_t)i * width + k] = (float)sin(angle);
            table[(int64_t)i * width + half + k] = (float)cos(angle);
        }
}

/* Rows of positions with the row of the first token type added. */
static const float *bind_positions(vb_binder *binder, const tower *t, int rows, int width) {
    float *joined = vb_program_memory(binder->program, (size_t)rows * (size_t)width, sizeof *joined, "positions", binder->err);
    if (!joined) return NULL;
    if (t->computed) {
        compute_positions(joined, rows, width, t->first);
        return joined;
    }
    int shape[2], types[2];
    if (vb_binder_shape(binder, 2, shape, "positional_embedding") || vb_binder_shape(binder, 2, types, "token_type_embedding"))
        return NULL;
    const float *table = vb_binder_floats(binder, shape[0], width, "positional_embedding");
    const float *type = table ? vb_binder_floats(binder, types[0], width, "token_type_embedding") : NULL;
    if (!type) return NULL;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++) joined[i * width + j] = table[(i + t->first) * width + j] + type[j];
    return joined;
}

/* ---- writing the program ---- */

static int measure(vb_binder *binder, const vb_family *family, const tower *t, const vb_tower_options *options,
                   vb_clip_info *info) {
    int embedding[2], positions[2] = {1 << 20, 0};
    if (vb_binder_shape(binder, 2, embedding, "token_embedding.weight") ||
        (!t->computed && vb_binder_shape(binder, 2, positions, "positional_embedding")))
        return -1;
    info->vocabulary_size = embedding[0];
    info->text_width = embedding[1];
    const int most = positions[0] - t->first;
    if (options->context > most)
        return vb_errorf(binder->err, VB_EMISMATCH, "texts of %d tokens are told, but there are positions for %d",
                         options->context, most);
    const int context = options->context ? options->context : family->context;
    info->context_length = context < most ? context : most;
    info->text_mask = family->text_mask;
    info->text_pooling = family->text_pooling;
    info->end_token = VB_NO_END_TOKEN;
    if (info->context_length >= 1 && t->pad < info->vocabulary_size && !(t->computed && info->text_width % 2)) return 0;
    return vb_errorf(binder->err, VB_EMISMATCH, "tensors of %d positions, %d tokens and width %d: too few for a tower of %s",
                     positions[0], embedding[0], embedding[1], t->name);
}

/* Only what the family fixes is computed. */
static int check_stated(vb_binder *binder, const vb_family *family, const tower *t, const vb_tower_options *options) {
    const bool mask = options->text_mask && options->text_mask != family->text_mask,
               pooling = options->text_pooling && options->text_pooling != family->text_pooling;
    if (!mask && !pooling) return 0;
    return vb_errorf(binder->err, VB_EUNSUPPORTED, "another %s of texts than %s has is stated, which is not computed here",
                     mask ? "mask" : "pooling", t->name);
}

/* From the pooled row to the embedding. */
static int emit_projection(vb_binder *binder, const tower *t, int x, int width, float epsilon, int *embed) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    vb_linear hidden = {0}, projection;
    vb_norm norm;
    int shape[2] = {width, width};
    if (t->pre_norm || t->hidden_gap) {
        if (vb_binder_norm(binder, &norm, width, epsilon, t->pre_norm ? "ln_encoder" : "ln_final")) return VB_NO_VALUE;
        x = vb_program_norm(program, x, &norm, err);
    }
    if (t->hidden_gap || vb_binder_has(binder, "text_hidden.weight")) {
        if (vb_binder_shape(binder, 2, shape, "text_hidden.weight") ||
            (t->hidden_gap ? vb_binder_linear(binder, &hidden, shape[0], width, "text_hidden") :
                             vb_binder_matrix(binder, &hidden.weight, shape[0], width, false, "text_hidden.weight")))
            return VB_NO_VALUE;
        x = vb_program_linear(program, x, &hidden, t->hidden_gap ? VB_LINEAR : VB_GELU, VB_NO_VALUE, err);
    }
    if (vb_binder_projection(binder, &projection, shape[0], t->bias, embed, "text_projection")) return VB_NO_VALUE;
    return vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, err);
}

static int emit(vb_binder *binder, const vb_family *family, const tower *t, const vb_tower_options *options, vb_clip_info *info,
                int *embed) {
    vb_program *program = binder->program;
    vb_norm norm;
    program->name = t->name;
    if (check_stated(binder, family, t, options) || measure(binder, family, t, options, info)) return -1;
    const int width = info->text_width, usual = vb_family_heads(family->text_head_widths, width);
    const vb_tower_facts stated = vb_family_text_facts(family, options);
    vb_embed tokens = {.context_length = info->context_length,
                       .padded = true,
                       .pad_token = t->pad,
                       .scale = t->computed ? sqrtf((float)width) : 0};
    vb_transformer_facts facts = {.width = width,
                                  .activation = stated.activation,
                                  .epsilon = stated.epsilon,
                                  .sum_norms = !t->pre_norm,
                                  .whole = t->mean,
                                  .pooled = VB_PICK_FIRST};
    if (vb_binder_matrix(binder, &tokens.table, info->vocabulary_size, width, false, "token_embedding.weight") ||
        !(tokens.positions = bind_positions(binder, t, info->context_length, width)) ||
        vb_binder_heads(binder, &facts.heads, width, stated.heads, usual, "text"))
        return -1;
    info->text_heads = facts.heads;
    info->text_epsilon = facts.epsilon;
    int x = vb_program_embed(program, &tokens, binder->err);
    if (!t->pre_norm) {
        if (vb_binder_norm(binder, &norm, width, facts.epsilon, "ln_embedding")) return -1;
        x = vb_program_norm(program, x, &norm, binder->err);
    }
    x = vb_transformer_emit(binder, &facts, x, "transformer", &info->text_layers);
    if (t->mean) x = vb_program_mean(program, x, 0, binder->err);
    x = emit_projection(binder, t, x, width, facts.epsilon, embed);
    if (x == VB_NO_VALUE) return -1;
    snprintf(program->summary, sizeof program->summary, "%d tokens of %d, width %d, %d layers, %d heads", info->context_length,
             info->vocabulary_size, width, info->text_layers, info->text_heads);
    return vb_program_finish(program, x, binder->err);
}

/* ---- the families ---- */

static const tower roberta = {.name = "RoBERTa", .pad = 1, .first = 2, .mean = true};
static const tower alt_clip = {.name = "XLM-RoBERTa", .pad = 1, .first = 2, .hidden_gap = true};
static const tower bert = {.name = "BERT"};
static const tower bert_and_bias = {.name = "BERT", .bias = true};
static const tower m2m = {.name = "M2M-100", .pad = 1, .first = 2, .computed = true, .pre_norm = true};

#define EMITTER(name, tower)                                                                                                     \
    static int name(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,             \
                    int *embed) {                                                                                                \
        return emit(binder, family, &(tower), options, info, embed);                                                             \
    }
EMITTER(emit_roberta, roberta)
EMITTER(emit_alt_clip, alt_clip)
EMITTER(emit_bert, bert)
EMITTER(emit_align_texts, bert_and_bias)
EMITTER(emit_m2m, m2m)

static const vb_family_sign roberta_signs[] = {{.has = {"ln_embedding.weight", "text_hidden.weight"},
                                                .lacks = {"ln_final.weight"}},
                                               {{0}, {0}}};
static const vb_family_sign alt_clip_signs[] = {{.has = {"ln_embedding.weight", "text_hidden.weight", "ln_final.weight"}},
                                                {{0}, {0}}};
static const vb_family_sign bert_signs[] = {{.has = {"ln_embedding.weight"}, .lacks = {"ln_final.weight", "text_hidden.weight"}},
                                            {{0}, {0}}};
static const vb_family_sign align_signs[] = {{.has = {"visual.stem.conv.weight"}}, {{0}, {0}}};
static const vb_family_sign m2m_signs[] = {{.has = {"ln_encoder.weight"}, .lacks = {"visual.attn_pool.probe"}}, {{0}, {0}}};
static const vb_family_sign siglip_signs[] = {{.has = {"ln_encoder.weight", "visual.attn_pool.probe"}}, {{0}, {0}}};

static const vb_family_pixels half = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}, .squash = true};
static const vb_family_pixels of_align = {
    .mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}, .squash = true, .bilinear = true, .resize_to = 346};
/* Source: OFA-Sys/Chinese-CLIP, cn_clip/clip/utils.py, image_transform: Resize((side, side)), which is no crop. */
static const vb_family_pixels squashed = {.mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                          .std = {0.26862954f, 0.26130258f, 0.27577711f},
                                          .squash = true};
static const vb_head_width siglip_heads[] = {{1152, 72}, {0}};
static const vb_head_width image_heads[] = {{1280, 80}, {0}};

const vb_family vb_family_roberta = {
    .name = "roberta",
    .published =
        "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k, CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k, "
        "CLIP-ViT-B-32-roberta-base-laion2B-s12B-b32k",
    .tested = "embeddings of open_clip for a tiny model",
    .cache_key = 60,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .quick_gelu_vocabulary = 50265, /* roberta-ViT-B-32 */
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_MEAN,
    .context = 77,
    .head_widths = image_heads,
    .conventions = "xlm_roberta roberta",
    .signs = roberta_signs,
    .image = vb_vit_emit,
    .text = emit_roberta,
};

const vb_family vb_family_altclip = {
    .name = "altclip",
    .published = "BAAI/AltCLIP, AltCLIP-m9, AltCLIP-m18",
    .tested = "embeddings of transformers for a tiny model",
    .cache_key = 61,
    .image_activation = VB_QUICK_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_FIRST,
    .context = 77,
    .conventions = "xlm_roberta",
    .signs = alt_clip_signs,
    .image = vb_vit_emit,
    .text = emit_alt_clip,
};

const vb_family vb_family_chinese_clip = {
    .name = "chinese_clip",
    .published = "OFA-Sys/chinese-clip-vit-base-patch16 to chinese-clip-vit-huge-patch14",
    .tested = "embeddings of transformers for a tiny model",
    .cache_key = 62,
    .image_activation = VB_QUICK_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-12f,
    .ln_pre = true,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_FIRST,
    .context = 52,
    .pixels = &squashed,
    .head_widths = image_heads,
    .conventions = "bert",
    .signs = bert_signs,
    .image = vb_vit_emit,
    .text = emit_bert,
};

const vb_family vb_family_align = {
    .name = "align",
    .published = "kakaobrain/align-base",
    .tested = "embeddings of transformers for a tiny model, and for a random one in the published size",
    .cache_key = 65,
    .fixed_heads = true,
    .resolution = 289,
    .image_activation = VB_SILU,
    .text_activation = VB_GELU,
    .text_epsilon = 1e-12f,
    .text_projection_bias = true,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_FIRST,
    .context = 64,
    .pixels = &of_align,
    .conventions = "bert",
    .signs = align_signs,
    .image = vb_efficientnet_emit,
    .text = emit_align_texts,
};

const vb_family vb_family_nllb = {
    .name = "nllb",
    .published = "visheratin/nllb-clip-base-oc, nllb-clip-large-oc",
    .tested = "embeddings of open_clip for a tiny model",
    .cache_key = 63,
    .image_activation = VB_GELU,
    .text_activation = VB_RELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_FIRST,
    .context = 77,
    .head_widths = image_heads,
    .conventions = "nllb",
    .signs = m2m_signs,
    .image = vb_vit_emit,
    .text = emit_m2m,
};

/* Images as SigLIP's in timm's names, whose GELU is exact there. */
const vb_family vb_family_nllb_siglip = {
    .name = "nllb_siglip",
    .published = "visheratin/nllb-clip-base-siglip, nllb-siglip-mrl-base, nllb-clip-large-siglip, nllb-siglip-mrl-large",
    .tested = "both towers of other families' tiny models, joined",
    .cache_key = 64,
    .image_activation = VB_GELU,
    .text_activation = VB_RELU,
    .image_epsilon = 1e-6f,
    .text_epsilon = 1e-5f,
    .patch_bias = true,
    .no_class_row = true,
    .image_pooling = VB_IMAGE_QUERY,
    .image_projection = VB_IMAGE_UNPROJECTED,
    .text_mask = VB_MASK_PADDING,
    .text_pooling = VB_POOLING_FIRST,
    .context = 77,
    .pixels = &half,
    .head_widths = siglip_heads,
    .conventions = "nllb",
    .signs = siglip_signs,
    .image = vb_vit_emit,
    .text = emit_m2m,
};
