/* Pre-norm transformer blocks, shared by the ViT and the text tower. */
#include "kernels/towers/binder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/matrix/attention.h"
#include "kernels/matrix/layers.h"
#include "kernels/base/memory.h"

/* Rows first .. first+count-1 of a linear layer, in place. */
static vb_linear linear_rows(const vb_linear *linear, int64_t first, int64_t count) {
    vb_linear part = *linear;
    part.weight.data =
        (const char *)part.weight.data + first * part.weight.row_stride * (int64_t)vb_dtype_size(part.weight.dtype);
    part.weight.rows = count;
    part.bias += first;
    return part;
}

static int bind_attention(vb_binder *binder, vb_block *block, int width, const char *prefix) {
    if (!vb_bind_has(binder, "%s.attn.in_proj_weight", prefix) && vb_bind_has(binder, "%s.attn.q_proj.weight", prefix))
        return vb_bind_linear(binder, &block->query, width, width, "%s.attn.q_proj", prefix) ||
                       vb_bind_linear(binder, &block->key, width, width, "%s.attn.k_proj", prefix) ||
                       vb_bind_linear(binder, &block->value, width, width, "%s.attn.v_proj", prefix) ?
                   -1 :
                   0;
    if (vb_bind_matrix(binder, &block->fused.weight, 3 * (int64_t)width, width, false, "%s.attn.in_proj_weight", prefix))
        return -1;
    block->fused.bias = vb_bind_floats(binder, 3 * (int64_t)width, 0, "%s.attn.in_proj_bias", prefix);
    if (!block->fused.bias) return -1;
    block->query = linear_rows(&block->fused, 0, width);
    block->key = linear_rows(&block->fused, width, width);
    block->value = linear_rows(&block->fused, 2 * (int64_t)width, width);
    block->key_value = linear_rows(&block->fused, width, 2 * (int64_t)width);
    return 0;
}

static int bind_block(vb_binder *binder, vb_block *block, int width, float epsilon, const char *prefix) {
    int hidden[2];
    if (vb_bind_norm(binder, &block->ln_1, width, epsilon, "%s.ln_1", prefix) || bind_attention(binder, block, width, prefix) ||
        vb_bind_linear(binder, &block->out, width, width, "%s.attn.out_proj", prefix) ||
        vb_bind_norm(binder, &block->ln_2, width, epsilon, "%s.ln_2", prefix) ||
        vb_bind_shape(binder, 2, hidden, "%s.mlp.c_fc.weight", prefix) ||
        vb_bind_linear(binder, &block->expand, hidden[0], width, "%s.mlp.c_fc", prefix))
        return -1;
    return vb_bind_linear(binder, &block->contract, width, hidden[0], "%s.mlp.c_proj", prefix);
}

int vb_transformer_bind(vb_binder *binder, vb_transformer *transformer, int width, int heads, bool causal,
                        vb_activation activation, float epsilon, const char *prefix) {
    int layers = 0;
    while (vb_bind_has(binder, "%s.resblocks.%d.ln_1.weight", prefix, layers)) layers++;
    if (!layers) return vb_errorf(binder->err, VB_EMISMATCH, "tensor %s.resblocks.0.ln_1.weight is missing", prefix);
    *transformer = (vb_transformer){.width = width,
                                    .heads = heads,
                                    .layers = layers,
                                    .causal = causal,
                                    .activation = activation,
                                    .watch = &binder->clip->watch};
    transformer->blocks = vb_bind_memory(binder, (size_t)layers, sizeof *transformer->blocks, "transformer blocks");
    if (!transformer->blocks) return -1;
    for (int i = 0; i < layers; i++) {
        char name[VB_NAME / 2];
        snprintf(name, sizeof name, "%s.resblocks.%d", prefix, i);
        if (bind_block(binder, &transformer->blocks[i], width, epsilon, name)) return -1;
        int hidden = (int)transformer->blocks[i].expand.weight.rows;
        if (hidden > transformer->widest) transformer->widest = hidden;
    }
    return 0;
}

int vb_linear_run(const vb_linear *linear, int64_t rows, const float *x, int64_t ldx, float *y, int64_t ldy,
                  vb_activation activation, const float *residual, int threads, vb_error *err) {
    const vb_gemm_a a = {.data = x, .ld = ldx};
    const vb_epilogue epilogue = {.bias = linear->bias, .activation = activation, .residual = residual, .ld_residual = ldy};
    return vb_gemm(rows, &a, &linear->weight, y, ldy, &epilogue, threads, err);
}

/* Work space: the normed rows (then the attention's), and queries, keys and values or the hidden layer. */
size_t vb_transformer_floats(const vb_transformer *transformer, int64_t rows) {
    int64_t wide = transformer->widest > 3 * transformer->width ? transformer->widest : 3 * (int64_t)transformer->width;
    return (size_t)(rows * (transformer->width + wide));
}

static void norm_rows(const vb_norm *norm, int64_t rows, const float *x, float *out, int threads) {
    vb_layers_norm(rows, norm->width, x, norm->width, norm->weight, norm->bias, norm->epsilon, out, norm->width, threads);
}

static vb_attention_batch attention_batch(const vb_transformer *t, const int64_t *starts, int64_t n) {
    int head_dim = t->width / t->heads;
    return (vb_attention_batch){.sequences = n,
                                .offsets = starts,
                                .heads = t->heads,
                                .head_dim = head_dim,
                                .causal = t->causal,
                                .scale = (float)(1 / sqrt((double)head_dim))};
}

/* Attention of every row over its sequence. normed: in the rows, out the heads' results. */
static int attend_all(const vb_transformer *t, const vb_block *block, float *normed, const int64_t *starts, int64_t n,
                      float *wide, int threads, vb_error *err) {
    const int64_t rows = starts[n], width = t->width, ld = 3 * width;
    if (block->fused.weight.data) {
        if (vb_linear_run(&block->fused, rows, normed, width, wide, ld, VB_LINEAR, NULL, threads, err)) return -1;
    } else if (vb_linear_run(&block->query, rows, normed, width, wide, ld, VB_LINEAR, NULL, threads, err) ||
               vb_linear_run(&block->key, rows, normed, width, wide + width, ld, VB_LINEAR, NULL, threads, err) ||
               vb_linear_run(&block->value, rows, normed, width, wide + 2 * width, ld, VB_LINEAR, NULL, threads, err))
        return -1;
    vb_attention_batch batch = attention_batch(t, starts, n);
    batch.query = wide;
    batch.key = wide + width;
    batch.value = wide + 2 * width;
    batch.ld_query = batch.ld_key = batch.ld_value = ld;
    return vb_attention(&batch, normed, width, threads, err);
}

/* Moves the pooled row of sequence i to row i. Rows only move forward, in order: none is overwritten before it has moved. */
static void keep_pooled(const vb_transformer *t, float *x, const int64_t *starts, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        int64_t pooled = t->causal ? starts[i + 1] - 1 : starts[i];
        if (pooled != i) memcpy(x + i * t->width, x + pooled * t->width, (size_t)t->width * sizeof *x);
    }
}

/* The last block asks for the pooled rows only: keys and values of every row, queries of those. */
static int attend_pooled(const vb_transformer *t, const vb_block *block, float *normed, const int64_t *starts, int64_t n,
                         float *wide, int threads, vb_error *err) {
    const int64_t rows = starts[n], width = t->width, ld = 2 * width;
    float *query = wide + rows * ld;
    if (block->fused.weight.data) {
        if (vb_linear_run(&block->key_value, rows, normed, width, wide, ld, VB_LINEAR, NULL, threads, err)) return -1;
    } else if (vb_linear_run(&block->key, rows, normed, width, wide, ld, VB_LINEAR, NULL, threads, err) ||
               vb_linear_run(&block->value, rows, normed, width, wide + width, ld, VB_LINEAR, NULL, threads, err))
        return -1;
    keep_pooled(t, normed, starts, n);
    if (vb_linear_run(&block->query, n, normed, width, query, width, VB_LINEAR, NULL, threads, err)) return -1;

    int64_t *one_each = vb_array((size_t)n + 1, sizeof *one_each, "offsets of the queries", err);
    if (!one_each) return -1;
    for (int64_t i = 0; i <= n; i++) one_each[i] = i;
    vb_attention_batch batch = attention_batch(t, starts, n);
    batch.query_offsets = one_each;
    batch.query = query;
    batch.key = wide;
    batch.value = wide + width;
    batch.ld_query = width;
    batch.ld_key = batch.ld_value = ld;
    int status = vb_attention(&batch, normed, width, threads, err);
    vb_free(one_each);
    return status;
}

int vb_transformer_run(const vb_transformer *transformer, float *x, const int64_t *starts, int64_t n, float *work, int threads,
                       vb_error *err) {
    const int64_t width = transformer->width;
    int64_t rows = starts[n];
    float *normed = work, *wide = work + rows * width;
    for (int i = 0; i < transformer->layers; i++) {
        const vb_block *block = &transformer->blocks[i];
        if (vb_watch_check(transformer->watch, err)) return -1;
        norm_rows(&block->ln_1, rows, x, normed, threads);
        if (i + 1 < transformer->layers) {
            if (attend_all(transformer, block, normed, starts, n, wide, threads, err)) return -1;
        } else {
            if (attend_pooled(transformer, block, normed, starts, n, wide, threads, err)) return -1;
            keep_pooled(transformer, x, starts, n);
            rows = n;
        }
        if (vb_linear_run(&block->out, rows, normed, width, x, width, VB_LINEAR, x, threads, err)) return -1;
        norm_rows(&block->ln_2, rows, x, normed, threads);
        const int64_t hidden = block->expand.weight.rows;
        if (vb_linear_run(&block->expand, rows, normed, width, wide, hidden, transformer->activation, NULL, threads, err) ||
            vb_linear_run(&block->contract, rows, wide, hidden, x, width, VB_LINEAR, x, threads, err))
            return -1;
    }
    return 0;
}
