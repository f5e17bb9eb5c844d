/* x + attention(norm(x)), then x + mlp(norm(x)), block after block. */
#include "kernels/towers/transformer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* What a block multiplies by. Queries, keys and values are three matrices, or views into `fused`. */
typedef struct weights {
    vb_norm ln_1, ln_2;
    vb_linear query, key, value;
    vb_linear fused, key_value; /* all three, and the last two, as one matrix; without data when the file holds them apart */
    vb_linear out, expand, contract;
} weights;

static int bind_attention(vb_binder *binder, weights *block, int width, const char *prefix) {
    if (!vb_binder_has(binder, "%s.attn.in_proj_weight", prefix) && vb_binder_has(binder, "%s.attn.q_proj.weight", prefix))
        return (vb_binder_linear(binder, &block->query, width, width, "%s.attn.q_proj", prefix) ||
                vb_binder_linear(binder, &block->key, width, width, "%s.attn.k_proj", prefix) ||
                vb_binder_linear(binder, &block->value, width, width, "%s.attn.v_proj", prefix)) ?
                   -1 :
                   0;
    if (vb_binder_matrix(binder, &block->fused.weight, 3 * (int64_t)width, width, false, "%s.attn.in_proj_weight", prefix))
        return -1;
    block->fused.bias = vb_binder_floats(binder, 3 * (int64_t)width, 0, "%s.attn.in_proj_bias", prefix);
    if (!block->fused.bias) return -1;
    block->query = vb_binder_rows_of(&block->fused, 0, width);
    block->key_value = vb_binder_rows_of(&block->fused, width, 2 * (int64_t)width);
    return 0;
}

static int bind_block(vb_binder *binder, weights *block, int width, float epsilon, const char *prefix) {
    int hidden[2];
    if (vb_binder_norm(binder, &block->ln_1, width, epsilon, "%s.ln_1", prefix) || bind_attention(binder, block, width, prefix) ||
        vb_binder_linear(binder, &block->out, width, width, "%s.attn.out_proj", prefix) ||
        vb_binder_norm(binder, &block->ln_2, width, epsilon, "%s.ln_2", prefix) ||
        vb_binder_shape(binder, 2, hidden, "%s.mlp.c_fc.weight", prefix) ||
        vb_binder_linear(binder, &block->expand, hidden[0], width, "%s.mlp.c_fc", prefix))
        return -1;
    return vb_binder_linear(binder, &block->contract, width, hidden[0], "%s.mlp.c_proj", prefix);
}

/* The heads' results side by side, for every row of x or for the pooled one. */
static int emit_attention(vb_binder *binder, const vb_transformer_facts *facts, const weights *block, int normed, bool pooled) {
    vb_program *program = binder->program;
    const int width = facts->width, head_dim = width / facts->heads;
    const bool fused = block->fused.weight.data != NULL;
    vb_heads heads = {.heads = facts->heads,
                      .head_dim = head_dim,
                      .causal = facts->causal,
                      .scale = (float)(1 / sqrt((double)head_dim))};
    int query, key, value;
    if (fused && !pooled) {
        query = key = value = vb_program_linear(program, normed, &block->fused, VB_LINEAR, VB_NO_VALUE, binder->err);
        heads.key_column = width;
        heads.value_column = 2 * width;
    } else {
        int asking = pooled ? vb_program_pick(program, normed, facts->pooled, binder->err) : normed;
        query = vb_program_linear(program, asking, &block->query, VB_LINEAR, VB_NO_VALUE, binder->err);
        key = vb_program_linear(program, normed, fused ? &block->key_value : &block->key, VB_LINEAR, VB_NO_VALUE, binder->err);
        value = fused ? key : vb_program_linear(program, normed, &block->value, VB_LINEAR, VB_NO_VALUE, binder->err);
        heads.value_column = fused ? width : 0;
    }
    return vb_program_attention(program, (const int[VB_OPERANDS]){query, key, value}, &heads, binder->err);
}

static int emit_block(vb_binder *binder, const vb_transformer_facts *facts, const weights *block, int x, bool last) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    if (vb_program_open_layer(program, err)) return VB_NO_VALUE;
    int normed = vb_program_norm(program, x, &block->ln_1, err), heads = emit_attention(binder, facts, block, normed, last);
    if (last) x = vb_program_pick(program, x, facts->pooled, err);
    x = vb_program_linear(program, heads, &block->out, VB_LINEAR, x, err);
    normed = vb_program_norm(program, x, &block->ln_2, err);
    int hidden = vb_program_linear(program, normed, &block->expand, facts->activation, VB_NO_VALUE, err);
    return vb_program_linear(program, hidden, &block->contract, VB_LINEAR, x, err);
}

int vb_transformer_emit(vb_binder *binder, const vb_transformer_facts *facts, int x, const char *prefix, int *layers) {
    assert(facts->heads > 0 && facts->width % facts->heads == 0);
    int count = 0;
    while (vb_binder_has(binder, "%s.resblocks.%d.ln_1.weight", prefix, count)) count++;
    if (!count) {
        vb_errorf(binder->err, VB_EMISMATCH, "tensor %s.resblocks.0.ln_1.weight is missing", prefix);
        return VB_NO_VALUE;
    }
    for (int i = 0; i < count && x != VB_NO_VALUE; i++) {
        char name[VB_NAME / 2];
        weights block = {0};
        snprintf(name, sizeof name, "%s.resblocks.%d", prefix, i);
        if (bind_block(binder, &block, facts->width, facts->epsilon, name)) return VB_NO_VALUE;
        x = emit_block(binder, facts, &block, x, !facts->whole && i + 1 == count);
    }
    *layers = count;
    return x;
}
