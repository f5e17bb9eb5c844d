/* Sources: timm layers/attention_pool.py (AttentionPoolLatent), transformers modeling_siglip.py
 * (SiglipMultiheadAttentionPoolingHead). */
#include "kernels/towers/map_pool.h"

#include <assert.h>
#include <math.h>

static int bind_attention(vb_binder *binder, vb_linear *query, vb_linear *key_value, int width, const char *prefix) {
    const int64_t three = 3 * (int64_t)width, two = 2 * (int64_t)width;
    if (!vb_binder_has(binder, "%s.attn.in_proj_weight", prefix))
        return vb_binder_linear(binder, query, width, width, "%s.attn.q", prefix) ||
                       vb_binder_linear(binder, key_value, (int)two, width, "%s.attn.kv", prefix) ?
                   -1 :
                   0;
    vb_linear fused = {0};
    if (vb_binder_matrix(binder, &fused.weight, three, width, false, "%s.attn.in_proj_weight", prefix) ||
        !(fused.bias = vb_binder_floats(binder, three, 0, "%s.attn.in_proj_bias", prefix)))
        return -1;
    *query = vb_binder_rows_of(&fused, 0, width);
    *key_value = vb_binder_rows_of(&fused, width, two);
    return 0;
}

int vb_map_pool_emit(vb_binder *binder, const vb_map_pool *facts, int x, const char *prefix) {
    vb_program *program = binder->program;
    vb_error *err = binder->err;
    const int width = facts->width, head_dim = width / facts->heads;
    assert(facts->heads > 0 && width % facts->heads == 0);
    vb_constant probe = {.count = 1, .columns = width};
    vb_linear query, key_value, out, expand, contract;
    vb_norm norm;
    int hidden[2];
    if (!(probe.rows = vb_binder_floats(binder, width, 0, "%s.probe", prefix)) ||
        bind_attention(binder, &query, &key_value, width, prefix) ||
        vb_binder_linear(binder, &out, width, width, "%s.attn.out_proj", prefix) ||
        vb_binder_norm(binder, &norm, width, facts->epsilon, "%s.layernorm", prefix) ||
        vb_binder_shape(binder, 2, hidden, "%s.mlp.c_fc.weight", prefix) ||
        vb_binder_linear(binder, &expand, hidden[0], width, "%s.mlp.c_fc", prefix) ||
        vb_binder_linear(binder, &contract, width, hidden[0], "%s.mlp.c_proj", prefix))
        return VB_NO_VALUE;
    const vb_heads heads = {.value_column = width,
                            .heads = facts->heads,
                            .head_dim = head_dim,
                            .scale = (float)(1 / sqrt((double)head_dim))};
    int operands[VB_OPERANDS], row = vb_program_constant(program, &probe, err);
    operands[0] = vb_program_linear(program, row, &query, VB_LINEAR, VB_NO_VALUE, err);
    operands[1] = operands[2] = vb_program_linear(program, x, &key_value, VB_LINEAR, VB_NO_VALUE, err);
    row = vb_program_attention(program, operands, &heads, err);
    row = vb_program_linear(program, row, &out, VB_LINEAR, VB_NO_VALUE, err);
    int inner = vb_program_norm(program, row, &norm, err);
    inner = vb_program_linear(program, inner, &expand, facts->activation, VB_NO_VALUE, err);
    return vb_program_linear(program, inner, &contract, VB_LINEAR, row, err);
}
