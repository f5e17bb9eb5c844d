/* Attention: the heads of a batch over threads. */
#include "kernels/matrix/attention.h"

#include <assert.h>
#include <omp.h>
#include <string.h>

#include "kernels/matrix/attention_kernel.h"
#include "kernels/matrix/blocking.h"

static vb_attention_head head_of(const vb_attention_batch *batch, int64_t task, float *out, int64_t ld_out) {
    const int64_t s = task / batch->heads, column = task % batch->heads * batch->head_dim;
    const int64_t *query_offsets = batch->query_offsets ? batch->query_offsets : batch->offsets;
    const int64_t first_key = batch->offsets[s], first = query_offsets[s], from = batch->rows ? 0 : first_key;
    return (vb_attention_head){.query = batch->query + first * batch->ld_query + column,
                               .key = batch->key + from * batch->ld_key + column,
                               .value = batch->value + from * batch->ld_value + column,
                               .ld_query = batch->ld_query,
                               .ld_key = batch->ld_key,
                               .ld_value = batch->ld_value,
                               .rows = batch->rows ? batch->rows + first_key : NULL,
                               .hidden = batch->hidden ? batch->hidden + first_key : NULL,
                               .queries = query_offsets[s + 1] - first,
                               .keys = batch->offsets[s + 1] - first_key,
                               .head_dim = batch->head_dim,
                               .causal = batch->causal,
                               .scale = batch->scale,
                               .out = out + first * ld_out + column,
                               .ld_out = ld_out};
}

/* A task is a head of a sequence; `next_task` a guess of what this thread does afterwards. */
static void run_task(const vb_attention_batch *batch, int64_t task, int64_t next_task, float *out, int64_t ld_out, float *work) {
    const vb_attention_head head = head_of(batch, task, out, ld_out);
    vb_attention_head next;
    const bool follows = next_task < batch->sequences * batch->heads;
    if (follows) next = head_of(batch, next_task, out, ld_out);
    if (head.keys > 0 && head.queries > 0) vb_attention_kernel_get()->run(&head, follows ? &next : NULL, work);
    else
        for (int64_t i = 0; i < head.queries; i++) memset(head.out + i * ld_out, 0, (size_t)head.head_dim * sizeof *out);
}

int vb_attention(const vb_attention_batch *batch, float *out, int64_t ld_out, int threads, vb_error *err) {
    assert(threads >= 1 && batch->sequences >= 0 && batch->heads >= 0 && batch->scale > 0);
    int64_t keys = 0, tasks = batch->sequences * batch->heads;
    for (int64_t s = 0; s < batch->sequences; s++)
        if (batch->offsets[s + 1] - batch->offsets[s] > keys) keys = batch->offsets[s + 1] - batch->offsets[s];
    if (tasks <= 0 || batch->head_dim <= 0) return 0;
    const int team = (int)smaller(threads, tasks);
    const size_t each = (vb_attention_kernel_get()->floats(keys, batch->head_dim) + 1023) / 1024 * 1024;
    float *work = vb_scratch_take(batch->scratch, (size_t)team * each, sizeof *work, "work space of attention", err);
    if (!work) return -1;
    if (team == 1) {
        for (int64_t task = 0; task < tasks; task++) run_task(batch, task, task + 1, out, ld_out, work);
    } else {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
        for (int64_t task = 0; task < tasks; task++)
            run_task(batch, task, task + team, out, ld_out, work + (size_t)omp_get_thread_num() * each);
    }
    vb_scratch_give(batch->scratch, work);
    return 0;
}
