/* x + attention(norm(x)), then x + mlp(norm(x)), block after block; or the norms behind attention and mlp. */
#include "kernels/towers/transformer.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* What a block multiplies by. Queries, keys and values are three matrices, or views into `fused`. */
typedef struct weights {
    vb_norm ln_1, ln_2;
    vb_linear query, key, value;
    vb_linear fused, key_value; /* all three, and the last two, as one matrix; without data when the file holds them apart */
    vb_linear out, expand, gate, contract;
    vb_norm of_heads, of_hidden; /* the inner norms; the latter of the hidden layer, or of what goes into it */
} weights;

static int bind_apart(vb_binder *binder, const vb_transformer_facts *facts, weights *block, const char *prefix) {
    const int width = facts->width;
    const bool failed = vb_binder_linear(binder, &block->query, width, width, "%s.attn.q_proj", prefix) ||
                        (facts->key_without_bias ?
                             vb_binder_matrix(binder, &block->key.weight, width, width, false, "%s.attn.k_proj.weight", prefix) :
                             vb_binder_linear(binder, &block->key, width, width, "%s.attn.k_proj", prefix)) ||
                        vb_binder_linear(binder, &block->value, width, width, "%s.attn.v_proj", prefix);
    return failed ? -1 : 0;
}

/* The bias of all three, whose keys have none. */
static const float *join_biases(vb_binder *binder, int width, const char *prefix) {
    const float *query = vb_binder_floats(binder, width, 0, "%s.attn.q_proj.bias", prefix);
    const float *value = query ? vb_binder_floats(binder, width, 0, "%s.attn.v_proj.bias", prefix) : NULL;
    float *all = value ? vb_program_memory(binder->program, 3 * (size_t)width, sizeof *all, "biases", binder->err) : NULL;
    for (int i = 0; all && i < width; i++) {
        all[i] = query[i];
        all[2 * width + i] = value[i];
    }
    return all;
}

static int bind_attention(vb_binder *binder, const vb_transformer_facts *facts, weights *block, const char *prefix) {
    const int width = facts->width;
    if (!vb_binder_has(binder, "%s.attn.in_proj_weight", prefix) && vb_binder_has(binder, "%s.attn.q_proj.weight", prefix))
        return bind_apart(binder, facts, block, prefix);
    if (vb_binder_matrix(binder, &block->fused.weight, 3 * (int64_t)width, width, false, "%s.attn.in_proj_weight", prefix))
        return -1;
    block->fused.bias = facts->key_without_bias ? join_biases(binder, width, prefix) :
                                                  vb_binder_floats(binder, 3 * (int64_t)width, 0, "%s.attn.in_proj_bias", prefix);
    if (!block->fused.bias) return -1;
    block->query = vb_binder_rows_of(&block->fused, 0, width);
    block->key_value = vb_binder_rows_of(&block->fused, width, 2 * (int64_t)width);
    return 0;
}

static int bind_block(vb_binder *binder, const vb_transformer_facts *facts, weights *block, const char *prefix) {
    const int width = facts->width;
    const float epsilon = facts->epsilon;
    int hidden[2];
    if (vb_binder_norm(binder, &block->ln_1, width, epsilon, "%s.ln_1", prefix) || bind_attention(binder, facts, block, prefix) ||
        vb_binder_linear(binder, &block->out, width, width, "%s.attn.out_proj", prefix) ||
        vb_binder_norm(binder, &block->ln_2, width, epsilon, "%s.ln_2", prefix) ||
        vb_binder_shape(binder, 2, hidden, "%s.mlp.c_fc.weight", prefix) ||
        vb_binder_linear(binder, &block->expand, hidden[0], width, "%s.mlp.c_fc", prefix) ||
        (facts->gated && vb_binder_linear(binder, &block->gate, hidden[0], width, "%s.mlp.c_gate", prefix)) ||
        (facts->hidden_norm && vb_binder_norm(binder, &block->of_hidden, width, epsilon, "%s.mlp.norm", prefix)) ||
        (facts->inner_norms && (vb_binder_norm(binder, &block->of_heads, width, epsilon, "%s.attn.norm", prefix) ||
                                vb_binder_norm(binder, &block->of_hidden, hidden[0], epsilon, "%s.mlp.norm", prefix))))
        return -1;
    return vb_binder_linear(binder, &block->contract, width, hidden[0], "%s.mlp.c_proj", prefix);
}

/* Queries or keys (the first `heads` of each row) turned by their position. */
static int emit_rotation(vb_binder *binder, const vb_transformer_facts *facts, int x, int heads) {
    if (!facts->rotation) return x;
    return vb_program_rotary(binder->program, x, &(vb_rotary){.rotation = *facts->rotation, .heads = heads}, binder->err);
}

/* The heads' results side by side, for every row of x or for the pooled one. */
static int emit_attention(vb_binder *binder, const vb_transformer_facts *facts, const weights *block, int normed, bool pooled) {
    vb_program *program = binder->program;
    const int width = facts->width, head_dim = width / facts->heads;
    const bool fused = block->fused.weight.data != NULL;
    vb_heads heads = {.heads = facts->heads,
                      .head_dim = head_dim,
                      .causal = facts->causal,
                      .hides_padding = facts->hides_padding,
                      .scale = (float)(1 / sqrt((double)head_dim))};
    int query, key, value;
    if (fused && !pooled) {
        value = vb_program_linear(program, normed, &block->fused, VB_LINEAR, VB_NO_VALUE, binder->err);
        query = key = value = emit_rotation(binder, facts, value, 2 * facts->heads);
        heads.key_column = width;
        heads.value_column = 2 * width;
    } else {
        int asking = pooled ? vb_program_pick(program, normed, facts->pooled, binder->err) : normed;
        query = vb_program_linear(program, asking, &block->query, VB_LINEAR, VB_NO_VALUE, binder->err);
        if (!pooled) query = emit_rotation(binder, facts, query, facts->heads);
        key = vb_program_linear(program, normed, fused ? &block->key_value : &block->key, VB_LINEAR, VB_NO_VALUE, binder->err);
        key = emit_rotation(binder, facts, key, facts->heads);
        value = fused ? key : vb_program_linear(program, normed, &block->value, VB_LINEAR, VB_NO_VALUE, binder->err);
        heads.value_column = fused ? width : 0;
    }
    return vb_program_attention(program, (const int[VB_OPERANDS]){query, key, value}, &heads, binder->err);
}

/* x plus the layer's product of `in`, or plus the norm of that product, or the norm of the sum. */
static int emit_sum(vb_binder *binder, const vb_transformer_facts *facts, int in, const vb_linear *linear, const vb_norm *norm,
                    int x) {
    if (facts->sum_norms) {
        int sum = vb_program_linear(binder->program, in, linear, VB_LINEAR, x, binder->err);
        return vb_program_norm(binder->program, sum, norm, binder->err);
    }
    if (!facts->post_norms) return vb_program_linear(binder->program, in, linear, VB_LINEAR, x, binder->err);
    int product = vb_program_linear(binder->program, in, linear, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_post_norm(binder->program, product, norm, x, binder->err);
}

static int emit_hidden(vb_binder *binder, const vb_transformer_facts *facts, const weights *block, int x) {
    vb_program *program = binder->program;
    if (!facts->gated) return vb_program_linear(program, x, &block->expand, facts->activation, VB_NO_VALUE, binder->err);
    int gated = vb_program_linear(program, x, &block->expand, VB_LINEAR, VB_NO_VALUE, binder->err);
    return vb_program_gated(program, x, &block->gate, facts->activation, gated, binder->err);
}

static int emit_block(vb_binder *binder, const vb_transformer_facts *facts, const weights *block, int x, bool last) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    if (vb_program_open_layer(program, err)) return VB_NO_VALUE;
    const bool norms_first = !facts->post_norms && !facts->sum_norms;
    int normed = !norms_first ? x : vb_program_norm(program, x, &block->ln_1, err);
    int heads = emit_attention(binder, facts, block, normed, last);
    if (facts->inner_norms) heads = vb_program_norm(program, heads, &block->of_heads, err);
    if (last) x = vb_program_pick(program, x, facts->pooled, err);
    x = emit_sum(binder, facts, heads, &block->out, &block->ln_1, x);
    normed = !norms_first ? x : vb_program_norm(program, x, &block->ln_2, err);
    if (facts->hidden_norm) normed = vb_program_norm(program, normed, &block->of_hidden, err);
    int hidden = emit_hidden(binder, facts, block, normed);
    if (facts->inner_norms) hidden = vb_program_norm(program, hidden, &block->of_hidden, err);
    return emit_sum(binder, facts, hidden, &block->contract, &block->ln_2, x);
}

int vb_transformer_emit(vb_binder *binder, const vb_transformer_facts *facts, int x, const char *prefix, int *layers) {
    assert(facts->heads > 0 && facts->width % facts->heads == 0);
    assert(!facts->rotation || facts->whole || (facts->pooled == VB_PICK_FIRST && facts->rotation->skipped));
    int count = 0;
    while (vb_binder_has(binder, "%s.resblocks.%d.ln_1.weight", prefix, facts->first + count)) count++;
    if (!count) {
        vb_errorf(binder->err, VB_EMISMATCH, "tensor %s.resblocks.%d.ln_1.weight is missing", prefix, facts->first);
        return VB_NO_VALUE;
    }
    for (int i = 0; i < count && x != VB_NO_VALUE; i++) {
        char name[VB_NAME / 2];
        weights block = {0};
        snprintf(name, sizeof name, "%s.resblocks.%d", prefix, facts->first + i);
        if (bind_block(binder, facts, &block, name)) return VB_NO_VALUE;
        x = emit_block(binder, facts, &block, x, !facts->whole && i + 1 == count);
    }
    *layers = count;
    return x;
}
