/* Rows of images and texts, encoded by all ranks and written by the first. */
#include "mpi/encode/encode_rows.h"

#include "kernels/base/memory.h"
#include "kernels/openness/direction.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/encode/encode.h"
#include "mpi/ranks/progress.h"
#include "shards/embeddings/npy.h"
#include "shards/text/texts.h"

/* ---- images ---- */

static int encode_unit(const vb_encode_rows_job *job, const vb_dataset *dataset, int64_t unit, float *rows, int *count,
                       vb_error *err) {
    vb_unit_data data = {0};
    json_t *skipped = NULL;
    const vb_encoding how = {.context = job->context,
                             .model = job->model,
                             .batch = job->batch,
                             .threads = job->threads,
                             .decode_memory = job->decode_memory};
    int status = vb_dataset_read_unit(dataset, unit, &data, err);
    int *all = status ? NULL : vb_array((size_t)data.count, sizeof *all, "unit", err);
    if (all) {
        for (int i = 0; i < data.count; i++) all[i] = i;
        *count = data.count;
        status = vb_encode_samples(&how, &(vb_encode_batch){&data, all, data.count, 0}, rows, &skipped, err);
        if (status) vb_error_prefix(err, "%s", job->input);
        if (!status && !job->raw) vb_direction_normalise(rows, data.count, vb_clip_describe(job->model->clip)->embed_dim);
    } else status = -1;
    vb_free(all);
    json_decref(skipped);
    vb_dataset_unit_free(&data);
    return status;
}

/* Round after round, every rank that encodes does one unit and the first writes them in order. */
static int encode_rounds(const vb_encode_rows_job *job, const vb_dataset *dataset, vb_error *err) {
    vb_comm *comm = &job->context->comm;
    int dim = vb_clip_describe(job->model->clip)->embed_dim;
    int64_t units = vb_dataset_units(dataset), shape[2] = {vb_dataset_samples(dataset), dim};
    float *rows = vb_array(VB_UNIT_SAMPLES * (size_t)dim, sizeof *rows, "embeddings of a unit", err);
    vb_writer *writer = NULL;
    int number, encoders, status = rows ? 0 : -1;
    const bool encodes = vb_model_encodes(job->model, job->context, &number, &encoders);
    if (!status && !comm->rank)
        status = vb_writer_open(&writer, job->output, err) || vb_npy_write_header(writer, VB_F32, 2, shape, err) ? -1 : 0;
    status = vb_comm_agree(comm, status, err);
    vb_progress progress;
    vb_progress_start(&progress, job->context, "encode", job->input, "images", shape[0]);
    vb_progress_by(&progress, encoders);
    for (int64_t first = 0; first < units && !status; first += encoders) {
        int count = 0;
        status = vb_context_check_stop(job->context, err);
        if (!status && encodes && first + number < units) status = encode_unit(job, dataset, first + number, rows, &count, err);
        if ((status = vb_context_barrier(job->context, status, err))) break;
        vb_blocks blocks;
        if ((status = vb_comm_gather(comm, rows, (size_t)count * (size_t)dim * sizeof *rows, &blocks, err))) break;
        for (int r = 0; r < blocks.count && !status; r++) status = vb_writer_write(writer, blocks.bytes[r], blocks.sizes[r], err);
        vb_comm_blocks_free(&blocks);
        status = vb_comm_agree(comm, status, err);
        vb_progress_step(&progress, count);
    }
    vb_progress_end(&progress);
    if (!comm->rank && writer) {
        if (!status) status = vb_writer_commit(writer, err);
        else vb_writer_abandon(writer);
    }
    vb_free(rows);
    return vb_comm_agree(comm, status, err);
}

int vb_encode_rows_images(const vb_encode_rows_job *job, vb_error *err) {
    vb_dataset *dataset;
    if (!vb_clip_describe(job->model->clip)->tower)
        return vb_comm_agree(&job->context->comm,
                             vb_errorf(err, VB_EMISMATCH, "%s: no image tower in these weights", job->model->spec->weights), err);
    if (vb_dataset_state_open_shared(&dataset, &job->context->comm, job->input, NULL, err)) return -1;
    int status = encode_rounds(job, dataset, err);
    vb_dataset_close(dataset);
    return status;
}

/* ---- texts ---- */

static int encode_slice(const vb_encode_rows_job *job, const vb_texts *texts, int64_t first, int64_t count, float *rows,
                        vb_error *err) {
    enum { AT_ONCE = 256 };
    const vb_clip_info *info = vb_clip_describe(job->model->clip);
    int32_t *tokens = vb_array(AT_ONCE * (size_t)info->context_length, sizeof *tokens, "tokens", err);
    int status = tokens ? 0 : -1;
    for (int64_t at = 0; at < count && !status; at += AT_ONCE) {
        int64_t n = count - at < AT_ONCE ? count - at : AT_ONCE;
        float *out = rows + at * info->embed_dim;
        if ((status = vb_context_check_stop(job->context, err))) break;
        status = vb_encode_tokenize(job->model->tokenizer, texts->items + first + at, n, info->context_length, job->threads,
                                    tokens, err);
        if (!status) status = vb_clip_encode_texts(job->model->clip, tokens, n, out, err);
        status = vb_model_check(job->model, status, err);
        if (!status && !job->raw) vb_direction_normalise(out, n, info->embed_dim);
    }
    vb_free(tokens);
    return status;
}

/* All ranks' rows, in the order of the ranks, to job->output. */
static int write_rows(const vb_encode_rows_job *job, const float *rows, int64_t count, const int64_t shape[2], vb_error *err) {
    vb_comm *comm = &job->context->comm;
    vb_blocks blocks;
    vb_writer *writer = NULL;
    if (vb_comm_gather(comm, rows, (size_t)(count * shape[1]) * sizeof *rows, &blocks, err)) return -1;
    int status = 0;
    if (!comm->rank)
        status = vb_writer_open(&writer, job->output, err) || vb_npy_write_header(writer, VB_F32, 2, shape, err) ? -1 : 0;
    for (int r = 0; r < blocks.count && !status; r++) status = vb_writer_write(writer, blocks.bytes[r], blocks.sizes[r], err);
    if (writer && !status) status = vb_writer_commit(writer, err);
    else if (writer) vb_writer_abandon(writer);
    vb_comm_blocks_free(&blocks);
    return status;
}

static int digest_texts(const vb_texts *texts, vb_digest *digest, vb_error *err) {
    vb_digester *digester;
    if (vb_digest_new(&digester, err)) return -1;
    for (size_t i = 0; i < texts->count; i++) vb_digest_add_text(digester, texts->items[i]);
    *digest = vb_digest_finish(digester);
    return 0;
}

int vb_encode_rows_texts(const vb_encode_rows_job *job, vb_error *err) {
    vb_comm *comm = &job->context->comm;
    vb_texts texts = {0};
    int dim = vb_clip_describe(job->model->clip)->embed_dim;
    float *rows = NULL;
    int status = vb_texts_read(&texts, job->input, err);
    vb_digest seen = {""};
    if (!status) status = digest_texts(&texts, &seen, err);
    if (vb_comm_agree_same(comm, status, seen.hex, job->input, err)) {
        vb_texts_free(&texts);
        return -1;
    }
    int number, encoders;
    const bool encodes = vb_model_encodes(job->model, job->context, &number, &encoders);
    int64_t first = 0, total = (int64_t)texts.count, mine = encodes ? vb_comm_range_of_rank(total, number, encoders, &first) : 0;
    const int64_t shape[2] = {total, dim};
    if (!(rows = vb_array((size_t)mine * (size_t)dim, sizeof *rows, "text embeddings", err))) status = -1;
    if (!status && mine) status = encode_slice(job, &texts, first, mine, rows, err);
    status = vb_context_barrier(job->context, status, err);
    if (!status) status = write_rows(job, rows, mine, shape, err);
    if (!status && !comm->rank)
        status = vb_encode_note_cut(job->model->tokenizer, texts.items, total, vb_clip_describe(job->model->clip)->context_length,
                                    job->input, err);
    status = vb_comm_agree(comm, status, err);
    vb_free(rows);
    vb_texts_free(&texts);
    return status;
}
