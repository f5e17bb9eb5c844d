/* Attention by plain loops. */
#include "kernels/matrix/attention_reference.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/layers_kernel.h"

/* One query of one head over the first `seen` keys of sequence s. */
static void attend(const vb_attention_batch *batch, int64_t s, int64_t seen, const float *query, int64_t column, float *weights,
                   float *out) {
    const int d = batch->head_dim;
    for (int64_t k = 0; k < seen; k++) {
        const int64_t slot = batch->offsets[s] + k;
        const float *key = batch->key + (batch->rows ? batch->rows[slot] : slot) * batch->ld_key + column;
        weights[k] = 0;
        for (int j = 0; j < d; j++) weights[k] = fmaf(query[j], key[j], weights[k]);
        if (batch->hidden && batch->hidden[slot]) weights[k] = -INFINITY;
    }
    if (seen) vb_layers_kernel_scalar.softmax(seen, batch->scale, weights);
    for (int j = 0; j < d; j++) {
        out[j] = 0;
        for (int64_t k = 0; k < seen; k++) {
            const int64_t slot = batch->offsets[s] + k;
            const float *value = batch->value + (batch->rows ? batch->rows[slot] : slot) * batch->ld_value + column;
            out[j] = fmaf(weights[k], value[j], out[j]);
        }
    }
}

int vb_attention_reference(const vb_attention_batch *batch, float *out, int64_t ld_out, vb_error *err) {
    const int64_t *query_offsets = batch->query_offsets ? batch->query_offsets : batch->offsets;
    for (int64_t s = 0; s < batch->sequences; s++) {
        const int64_t keys = batch->offsets[s + 1] - batch->offsets[s];
        float *weights = vb_array((size_t)keys, sizeof *weights, "weights of a query", err);
        if (!weights) return -1;
        for (int64_t i = query_offsets[s]; i < query_offsets[s + 1]; i++) {
            const int64_t unseen = batch->causal ? query_offsets[s + 1] - 1 - i : 0;
            for (int head = 0; head < batch->heads; head++) {
                const int64_t column = (int64_t)head * batch->head_dim;
                attend(batch, s, keys > unseen ? keys - unseen : 0, batch->query + i * batch->ld_query + column, column, weights,
                       out + i * ld_out + column);
            }
        }
        vb_free(weights);
    }
    return 0;
}
