/* `vocabench encode images|texts`: embeddings as .npy, encoded by all ranks, written by the first. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/encode/encode.h"
#include "mpi/ranks/progress.h"
#include "mpi/ranks/threads.h"
#include "shards/embeddings/npy.h"
#include "shards/text/texts.h"

const vb_flag vb_cmd_encode_flags[] = {
    {.name = "weights", .kind = VB_FLAG_TEXT, .value = "FILE", .required = true, .help = "checkpoint: safetensors or PyTorch"},
    {.name = "input",
     .kind = VB_FLAG_TEXT,
     .value = "PATH",
     .required = true,
     .help = "images: folder, .tar/.tar.zst (glob) or CIFAR binary; texts: FILE.txt (one a line) or FILE.json (a list)"},
    {.name = "output", .kind = VB_FLAG_TEXT, .value = "E.npy", .required = true, .help = "float32, rows x dimensions"},
    {.name = "tokenizer",
     .kind = VB_FLAG_TEXT,
     .value = "FILE",
     .help = "bpe_simple_vocab_16e6.txt.gz, or vocab.json with merges.txt beside it (texts)"},
    {.name = "family", .kind = VB_FLAG_TEXT, .value = "clip|slip|declip", .help = "[found from the tensors' names]"},
    {.name = "activation", .kind = VB_FLAG_TEXT, .value = "quick_gelu|gelu", .help = "for open_clip's models [the family's]"},
    {.name = "rgb-first", .kind = VB_FLAG_SWITCH, .help = "convert to RGB before resizing"},
    {.name = "raw", .kind = VB_FLAG_SWITCH, .help = "leave the embeddings unnormalised"},
    {.name = "batch", .kind = VB_FLAG_NUMBER, .value = "N", .help = "images encoded at once [16]", .low = 1, .high = 4096},
    {.name = "threads", .kind = VB_FLAG_NUMBER, .value = "N", .help = "threads a rank", .low = 1, .high = 1024},
    {0},
};

const char vb_cmd_encode_details[] =
    "Rows are in the order of the input: texts by line, images by name in byte order (CIFAR: by record; "
    "shards: by file, then by key). The rows do not\n"
    "depend on ranks, threads or batch size. Rows are normalised unless --raw is given.";

typedef struct encode_job {
    vb_context *context;
    const vb_arguments *arguments;
    vb_model model;
    int threads, batch;
    bool raw;
    const char *input, *output;
} encode_job;

static void normalise(float *rows, int64_t count, int dim) {
    for (int64_t i = 0; i < count; i++) {
        float *row = rows + i * dim;
        double square = 0;
        for (int k = 0; k < dim; k++) square += (double)row[k] * row[k];
        double norm = sqrt(square);
        for (int k = 0; k < dim && norm > 0; k++) row[k] = (float)(row[k] / norm);
    }
}

/* ---- images ---- */

static int encode_unit(const encode_job *job, const vb_dataset *dataset, int64_t unit, float *rows, int *count, vb_error *err) {
    vb_unit_data data = {0};
    json_t *skipped = NULL;
    const vb_encoding how = {.context = job->context, .model = &job->model, .batch = job->batch, .threads = job->threads};
    int status = vb_dataset_read_unit(dataset, unit, &data, err);
    int *all = status ? NULL : vb_array((size_t)data.count, sizeof *all, "unit", err);
    if (all) {
        for (int i = 0; i < data.count; i++) all[i] = i;
        *count = data.count;
        status = vb_encode_samples(&how, &(vb_encode_batch){&data, all, data.count, 0}, rows, &skipped, err);
        if (status) vb_error_prefix(err, "%s", job->input);
        if (!status && !job->raw) normalise(rows, data.count, vb_clip_describe(job->model.clip)->embed_dim);
    } else status = -1;
    vb_free(all);
    json_decref(skipped);
    vb_dataset_unit_free(&data);
    return status;
}

/* Round after round, every rank encodes one unit and the first writes them in order. */
static int encode_rounds(const encode_job *job, const vb_dataset *dataset, vb_error *err) {
    vb_comm *comm = &job->context->comm;
    int dim = vb_clip_describe(job->model.clip)->embed_dim;
    int64_t units = vb_dataset_units(dataset), shape[2] = {vb_dataset_samples(dataset), dim};
    float *rows = vb_array(VB_UNIT_SAMPLES * (size_t)dim, sizeof *rows, "embeddings of a unit", err);
    vb_writer *writer = NULL;
    int status = rows ? 0 : -1;
    if (!status && !comm->rank)
        status = vb_writer_open(&writer, job->output, err) || vb_npy_write_header(writer, VB_F32, 2, shape, err) ? -1 : 0;
    status = vb_comm_agree(comm, status, err);
    vb_progress progress;
    vb_progress_start(&progress, comm->rank, comm->size, "encode", job->input, "images", shape[0] / comm->size);
    for (int64_t first = 0; first < units && !status; first += comm->size) {
        int count = 0;
        status = vb_context_check_stop(job->context, err);
        if (!status && first + comm->rank < units) status = encode_unit(job, dataset, first + comm->rank, rows, &count, err);
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

static int encode_images(encode_job *job, vb_error *err) {
    vb_dataset *dataset;
    if (!vb_clip_describe(job->model.clip)->resolution)
        return vb_comm_agree(&job->context->comm,
                             vb_errorf(err, VB_EMISMATCH, "%s: no image tower in these weights", job->model.spec->weights), err);
    if (vb_dataset_state_open_shared(&dataset, &job->context->comm, job->input, NULL, err)) return -1;
    int status = encode_rounds(job, dataset, err);
    vb_dataset_close(dataset);
    return status;
}

/* ---- texts ---- */

static int encode_slice(const encode_job *job, const vb_texts *texts, int64_t first, int64_t count, float *rows, vb_error *err) {
    enum { AT_ONCE = 256 };
    const vb_clip_info *info = vb_clip_describe(job->model.clip);
    int32_t *tokens = vb_array(AT_ONCE * (size_t)info->context_length, sizeof *tokens, "tokens", err);
    int status = tokens ? 0 : -1;
    for (int64_t at = 0; at < count && !status; at += AT_ONCE) {
        int64_t n = count - at < AT_ONCE ? count - at : AT_ONCE;
        float *out = rows + at * info->embed_dim;
        if ((status = vb_context_check_stop(job->context, err))) break;
        status = vb_encode_tokenize(job->model.tokenizer, texts->items + first + at, n, info->context_length, job->threads,
                                    tokens, err);
        if (!status) status = vb_clip_encode_texts(job->model.clip, tokens, n, out, err);
        if (!status && !job->raw) normalise(out, n, info->embed_dim);
    }
    vb_free(tokens);
    return status;
}

static int encode_texts(encode_job *job, vb_error *err) {
    vb_comm *comm = &job->context->comm;
    vb_texts texts = {0};
    int dim = vb_clip_describe(job->model.clip)->embed_dim;
    float *rows = NULL;
    int status = vb_comm_agree(comm, vb_texts_read(&texts, job->input, err), err);
    if (status) return -1;
    int64_t first, total = (int64_t)texts.count, mine = vb_comm_range_of_rank(total, comm->rank, comm->size, &first),
                   shape[2] = {total, dim};
    if (!(rows = vb_array((size_t)total * (size_t)dim, sizeof *rows, "text embeddings", err))) status = -1;
    if (!status && mine) status = encode_slice(job, &texts, first, mine, rows + first * dim, err);
    status = vb_context_barrier(job->context, status, err);
    if (!status) status = vb_comm_allgather_rows(comm, rows, total, (size_t)dim * sizeof *rows, err);
    if (!status && !comm->rank) status = vb_npy_write(job->output, VB_F32, 2, shape, rows, err);
    status = vb_comm_agree(comm, status, err);
    vb_free(rows);
    vb_texts_free(&texts);
    return status;
}

/* The flags as a model entry. */
static int model_spec(vb_model_spec *spec, const vb_arguments *arguments, vb_error *err) {
    static const vb_stated_activation activations[] = {VB_ACTIVATION_QUICK_GELU, VB_ACTIVATION_GELU}; /* as the flag has them */
    int activation;
    *spec = (vb_model_spec){.name = (char *)"encode"};
    spec->preprocessing = vb_arguments_given(arguments, "rgb-first") ? VB_PREPROCESSING_RGB_FIRST : VB_PREPROCESSING_OPENAI;
    spec->weights = (char *)(uintptr_t)vb_arguments_text(arguments, "weights");
    spec->tokenizer = (char *)(uintptr_t)vb_arguments_text(arguments, "tokenizer");
    if (vb_arguments_choice(arguments, "family", VB_FAMILY_FOUND, &spec->family, err))
        return -1; /* in the order of vb_family_kind */
    if (vb_arguments_choice(arguments, "activation", -1, &activation, err)) return -1;
    spec->activation = activation < 0 ? VB_ACTIVATION_OF_FAMILY : activations[activation];
    return 0;
}

int vb_cmd_encode(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const char *what = arguments->positional[0];
    bool texts = !strcmp(what, "texts");
    encode_job job = {.context = context,
                      .arguments = arguments,
                      .raw = vb_arguments_given(arguments, "raw"),
                      .input = vb_arguments_text(arguments, "input"),
                      .output = vb_arguments_text(arguments, "output"),
                      .batch = (int)vb_arguments_number(arguments, "batch", 16),
                      .threads = (int)vb_arguments_number(arguments, "threads", vb_threads_default(&context->comm))};
    vb_model_spec spec;
    int status = 0;
    if (!texts && strcmp(what, "images"))
        status = vb_errorf(err, VB_EUSAGE, "encode: expected images or texts, found '%s'", what);
    if (!status && texts && !vb_arguments_given(arguments, "tokenizer"))
        status = vb_errorf(err, VB_EUSAGE, "encode texts: --tokenizer FILE is missing");
    if (!status) status = model_spec(&spec, arguments, err);
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    if (vb_model_open(&job.model, context, &spec, texts, job.threads, NULL, err)) return -1;
    status = texts ? encode_texts(&job, err) : encode_images(&job, err);
    vb_model_close(&job.model);
    return status;
}
