/* Texts to embeddings by units: tokenizer, cache, encoder. */
#include "mpi/encode/text_list.h"

#include "kernels/base/memory.h"
#include "mpi/ranks/progress.h"

int vb_text_list_encode_unit(const vb_encoding *how, const char *const *texts, int n, float *rows, vb_digest *unit, bool *encoded,
                             vb_error *err) {
    const vb_model *model = how->model;
    const vb_clip_info *info = vb_clip_describe(model->clip);
    vb_cache place = {.folder = how->cache, .key = model->text_key};
    size_t bytes = (size_t)n * (size_t)info->context_length * sizeof(int32_t);
    int32_t *tokens = vb_array(bytes, 1, "tokens", err);
    int status = tokens ? vb_encode_tokenize(model->tokenizer, texts, n, info->context_length, how->threads, tokens, err) : -1;
    bool found = false;
    if (!status) {
        vb_digest key = vb_digest_bytes(tokens, bytes);
        status = vb_cache_load(&place, &key, n, info->embed_dim, rows, &found, NULL, err);
        if (!status && !found) status = vb_model_check(model, vb_clip_encode_texts(model->clip, tokens, n, rows, err), err);
        if (!status && !found) status = vb_cache_store(&place, &key, n, info->embed_dim, rows, NULL, err);
        if (unit) *unit = key;
    }
    if (encoded) *encoded = !found;
    vb_free(tokens);
    return status;
}

/* Units [first, first + mine) to `rows`, which begins with the first of all; NULL: to the cache alone. */
static int encode_units(const vb_encoding *how, const char *const *texts, int64_t n, int64_t first, int64_t mine, float *rows,
                        int64_t *encoded, vb_error *err) {
    const size_t dim = (size_t)vb_clip_describe(how->model->clip)->embed_dim;
    vb_context *context = how->context;
    float *scratch = rows ? NULL : vb_array(VB_TEXT_UNIT * dim, sizeof *scratch, "text embeddings", err);
    int status = rows || scratch ? 0 : -1;
    vb_progress progress;
    vb_progress_start(&progress, context,
                      rows && vb_model_is_lent_to(how->model, context) ? "captions from the cache" : "captions",
                      how->model->spec->name, "texts", n);
    if (!rows) vb_progress_by(&progress, context->encoders);
    for (int64_t u = first; !status && u < first + mine; u++) {
        int64_t start = u * VB_TEXT_UNIT, count = n - start < VB_TEXT_UNIT ? n - start : VB_TEXT_UNIT;
        bool now = false;
        if ((status = vb_context_check_stop(context, err))) break;
        status = vb_text_list_encode_unit(how, texts + start, (int)count, rows ? rows + (size_t)start * dim : scratch, NULL, &now,
                                          err);
        if (now) *encoded += count;
        vb_progress_step(&progress, count);
    }
    vb_progress_end(&progress);
    vb_free(scratch);
    return status;
}

/* Where ranks share devices, those that encode do so for all, into the cache, where the others find it. Collective. */
static int encode_ahead(const vb_encoding *how, const char *const *texts, int64_t n, int64_t units, int64_t *encoded,
                        vb_error *err) {
    int number, count;
    int64_t first = 0;
    if (!vb_model_is_lent_to(how->model, how->context)) return 0;
    const int64_t mine =
        vb_model_encodes(how->model, how->context, &number, &count) ? vb_comm_range_of_rank(units, number, count, &first) : 0;
    return vb_context_barrier(how->context, mine ? encode_units(how, texts, n, first, mine, NULL, encoded, err) : 0, err);
}

int vb_text_list_encode(const vb_encoding *how, const char *const *texts, int64_t n, float **rows, int64_t *encoded,
                        vb_error *err) {
    vb_comm *comm = &how->context->comm;
    size_t dim = (size_t)vb_clip_describe(how->model->clip)->embed_dim, unit_bytes = VB_TEXT_UNIT * dim * sizeof(float);
    int64_t units = (n + VB_TEXT_UNIT - 1) / VB_TEXT_UNIT, first,
            mine = vb_comm_range_of_rank(units, comm->rank, comm->size, &first);
    /* Whole units are exchanged: the last one is padded. */
    *rows = vb_array((size_t)units, unit_bytes, "text embeddings", err);
    int status = vb_comm_agree(comm, *rows ? 0 : -1, err);
    if (!status) status = encode_ahead(how, texts, n, units, encoded, err);
    if (!status) status = vb_context_barrier(how->context, encode_units(how, texts, n, first, mine, *rows, encoded, err), err);
    if (!status) status = vb_comm_allgather_rows(comm, *rows, units, unit_bytes, err);
    if (!status) return 0;
    vb_free(*rows);
    *rows = NULL;
    return -1;
}
