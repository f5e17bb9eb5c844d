/* Offsets, marks and paths. */
#include "kernels/gpu/gpu_heads.h"

#include "kernels/base/memory.h"

static bool by_token(const vb_piece *host, int value) { return host->program->values[value].rows == VB_ROW_A_TOKEN; }

static int put_offsets(vb_gpu_heads *heads, const vb_gpu_piece *piece, const vb_operation *operation, vb_error *err) {
    const vb_piece *host = &piece->host;
    const int query = operation->in[0], key = operation->in[1];
    heads->offsets_size = (size_t)(host->count + 1) * sizeof(cl_long);
    cl_long *queries = vb_array(2 * (size_t)(host->count + 1), sizeof *queries, "offsets", err);
    if (!queries) return -1;
    cl_long *keys = queries + host->count + 1;
    for (int64_t i = 0; i <= host->count; i++) {
        queries[i] = vb_piece_first_row(host, query, i);
        keys[i] = by_token(host, key) ? vb_piece_place(host, i) : vb_piece_first_row(host, key, i);
        if (i && queries[i] - queries[i - 1] > heads->most_queries) heads->most_queries = queries[i] - queries[i - 1];
        if (i && keys[i] - keys[i - 1] > heads->most_keys) heads->most_keys = keys[i] - keys[i - 1];
    }
    int status = vb_gpu_work_copy(piece->device, queries, heads->offsets_size, &heads->queries, err);
    if (!status) status = vb_gpu_work_copy(piece->device, keys, heads->offsets_size, &heads->keys, err);
    vb_free(queries);
    return status;
}

/* Where beginnings are shared a text's keys lie where its rows do, some of them in rows of texts before it. */
static int put_paths(vb_gpu_heads *heads, const vb_gpu_piece *piece, vb_error *err) {
    const vb_piece *host = &piece->host;
    const int64_t count = vb_piece_place(host, host->count);
    heads->paths_size = (size_t)count * sizeof(cl_int);
    cl_int *paths = vb_array((size_t)count, sizeof *paths, "rows of texts", err);
    if (!paths) return -1;
    for (int64_t p = 0; p < count; p++) paths[p] = (cl_int)host->rows[p];
    const int status = vb_gpu_work_copy(piece->device, paths, heads->paths_size, &heads->paths, err);
    vb_free(paths);
    return status;
}

static int put_hidden(vb_gpu_heads *heads, const vb_gpu_piece *piece, vb_error *err) {
    const vb_piece *host = &piece->host;
    heads->hidden_size = (size_t)vb_piece_place(host, host->count);
    uint8_t *hidden = vb_array(heads->hidden_size, 1, "marks of hidden rows", err);
    if (!hidden) return -1;
    for (int64_t i = 0; i < host->count; i++)
        for (int64_t row = vb_piece_place(host, i); row < vb_piece_place(host, i + 1); row++)
            hidden[row] = vb_text_input_hidden(host->texts, vb_piece_item(host, i), (int)(row - vb_piece_place(host, i)));
    const int status = vb_gpu_work_copy(piece->device, hidden, heads->hidden_size, &heads->hidden, err);
    vb_free(hidden);
    return status;
}

int vb_gpu_heads_put(vb_gpu_heads *heads, const vb_gpu_piece *piece, const vb_operation *operation, vb_error *err) {
    int status = put_offsets(heads, piece, operation, err);
    if (!status && piece->host.rows && by_token(&piece->host, operation->in[1])) status = put_paths(heads, piece, err);
    if (!status && operation->heads.hides_padding) status = put_hidden(heads, piece, err);
    return status;
}

void vb_gpu_heads_free(vb_gpu_heads *heads, vb_gpu_device *device) {
    vb_gpu_work_release(device, &heads->queries, heads->offsets_size);
    vb_gpu_work_release(device, &heads->keys, heads->offsets_size);
    vb_gpu_work_release(device, &heads->hidden, heads->hidden_size);
    vb_gpu_work_release(device, &heads->paths, heads->paths_size);
}
