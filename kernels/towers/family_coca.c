/* CoCa's towers for contrast: images pooled by the first of its learned queries, texts by a class row behind their tokens. The
 * decoder, which writes captions, is not read.
 *
 * Sources: open_clip 3.3 coca_model.py, transformer.py (AttentionalPooler, VisionTransformer, TextTransformer). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/towers/family.h"
#include "kernels/towers/text_tower.h"
#include "kernels/towers/vit.h"

#define POOL "visual.attn_pool."

typedef struct pooling {
    vb_constant query;
    vb_norm query_norm, key_norm;
    vb_linear parts[3], out; /* of queries, keys and values */
} pooling;

/* Packed where queries are as wide as the tower, else apart; the biases always packed. */
static int bind_parts(vb_binder *binder, pooling *pool, int width, int embed) {
    static const char *const names[] = {POOL "attn.q_proj_weight", POOL "attn.k_proj_weight", POOL "attn.v_proj_weight"};
    const float *bias = vb_binder_floats(binder, 3 * (int64_t)embed, 0, POOL "attn.in_proj_bias");
    if (!bias) return -1;
    vb_linear all = {.bias = bias};
    const bool packed = vb_binder_has(binder, POOL "attn.in_proj_weight");
    if (packed && vb_binder_matrix(binder, &all.weight, 3 * (int64_t)embed, width, false, POOL "attn.in_proj_weight")) return -1;
    for (int i = 0; i < 3; i++) {
        if (packed) pool->parts[i] = vb_binder_rows_of(&all, (int64_t)i * embed, embed);
        else if (vb_binder_matrix(binder, &pool->parts[i].weight, embed, i ? width : embed, false, "%s", names[i])) return -1;
        pool->parts[i].bias = bias + (int64_t)i * embed;
    }
    return 0;
}

static int bind_pooling(vb_binder *binder, pooling *pool, int width, float epsilon, int *embed) {
    int shape[2];
    if (vb_binder_shape(binder, 2, shape, POOL "query")) return -1;
    *embed = shape[1];
    pool->query = (vb_constant){.rows = vb_binder_floats(binder, shape[0], *embed, POOL "query"), .count = 1, .columns = *embed};
    return !pool->query.rows || vb_binder_norm(binder, &pool->query_norm, *embed, epsilon, POOL "ln_q") ||
                   vb_binder_norm(binder, &pool->key_norm, width, epsilon, POOL "ln_k") ||
                   bind_parts(binder, pool, width, *embed) ||
                   vb_binder_linear(binder, &pool->out, *embed, *embed, POOL "attn.out_proj") ?
               -1 :
               0;
}

static int emit_pooling(vb_program *program, const pooling *pool, int heads, int x, vb_error *err) {
    const int head_dim = pool->query.columns / heads;
    const vb_heads attention = {.heads = heads, .head_dim = head_dim, .scale = (float)(1 / sqrt((double)head_dim))};
    int operands[VB_OPERANDS], row = vb_program_constant(program, &pool->query, err);
    row = vb_program_norm(program, row, &pool->query_norm, err);
    x = vb_program_norm(program, x, &pool->key_norm, err);
    for (int i = 0; i < VB_OPERANDS; i++)
        operands[i] = vb_program_linear(program, i ? x : row, &pool->parts[i], VB_LINEAR, VB_NO_VALUE, err);
    row = vb_program_attention(program, operands, &attention, err);
    return vb_program_linear(program, row, &pool->out, VB_LINEAR, VB_NO_VALUE, err);
}

static int emit_image(vb_binder *binder, const vb_family *family, const vb_tower_options *options, vb_clip_info *info,
                      int *embed) {
    vb_program *program = binder->program;
    pooling pool = {0};
    vb_norm norm;
    vb_linear projection;
    int width;
    program->name = "ViT";
    int x = vb_vit_trunk(binder, family, options, info, true);
    if (x == VB_NO_VALUE || bind_pooling(binder, &pool, info->image_width, info->image_epsilon, &width)) return -1;
    if (width % family->pool_heads)
        return vb_errorf(binder->err, VB_EMISMATCH, "tensor " POOL "query has %d columns, expected a multiple of its %d heads",
                         width, family->pool_heads);
    if (vb_binder_norm(binder, &norm, width, info->image_epsilon, "visual.ln_post") ||
        vb_binder_projection(binder, &projection, width, false, embed, "visual.proj"))
        return -1;
    x = emit_pooling(program, &pool, family->pool_heads, x, binder->err);
    x = vb_program_norm(program, x, &norm, binder->err);
    x = vb_program_linear(program, x, &projection, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_finish(program, x, binder->err);
}

static const vb_family_sign signs[] = {{.has = {POOL "query"}},
                                       {.has = {"cls_emb"}, .lacks = {"visual.conv1.weight"}}, /* the text tower alone */
                                       {{0}, {0}}};

const vb_family vb_family_coca = {
    .name = "coca",
    .published = "laion/CoCa-ViT-B-32-laion2B-s13B-b90k, CoCa-ViT-L-14-laion2B-s13B-b90k, "
                 "mscoco_finetuned_CoCa-ViT-L-14-laion2B-s13B-b90k",
    .tested = "embeddings of open_clip for a tiny model",
    .cache_key = 43,
    .image_activation = VB_GELU,
    .text_activation = VB_GELU,
    .image_epsilon = 1e-5f,
    .text_epsilon = 1e-5f,
    .ln_pre = true,
    .pool_heads = 8,
    .text_class_row = true,
    .text_pooling = VB_POOLING_LAST,
    .signs = signs,
    .image = emit_image,
    .text = vb_text_tower_emit,
};
