/* `vocabench retrieve`: the rows of a corpus that are most similar to each query, exactly, as JSON lines and as .npy. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/isa.h"
#include "kernels/base/memory.h"
#include "mpi/command/cmd.h"
#include "mpi/experiment/options.h"
#include "mpi/base/device.h"
#include "mpi/base/provenance.h"
#include "mpi/base/json.h"
#include "mpi/ranks/threads.h"
#include "mpi/retrieve/hit_lists.h"
#include "shards/embeddings/npy.h"
#include "shards/files/path.h"

const vb_flag vb_cmd_retrieve_flags[] = {
    {.name = "queries",
     .kind = VB_FLAG_TEXT,
     .value = "Q.npy",
     .required = true,
     .help = "queries x dimensions, float32 or float16"},
    {.name = "corpus",
     .kind = VB_FLAG_TEXT,
     .value = "DIR|GLOB",
     .required = true,
     .help = "parts: DIR/img_emb/*.npy, DIR/*.npy, a glob, or one file (also .safetensors)"},
    {.name = "top-k",
     .kind = VB_FLAG_NUMBER,
     .value = "K",
     .required = true,
     .help = "rows listed a query, fewer when the corpus has fewer",
     .low = 1,
     .high = INT64_MAX / 4096},
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "LIST.jsonl.zst",
     .required = true,
     .help = "a line a query, packed where the name ends in .zst; LIST.summary.json is written beside it"},
    {.name = "ids", .kind = VB_FLAG_TEXT, .value = "IDS.npy", .plain = true, .help = "row numbers as int64, queries x K"},
    {.name = "similarity", .kind = VB_FLAG_TEXT, .value = "dot|cosine", .help = "of query and row [dot]"},
    {.name = "quantized",
     .kind = VB_FLAG_TEXT,
     .value = "DIR",
     .help = "8-bit copy of the corpus made by 'pack --quantize int8': the same lists, faster"},
    {.name = "memory", .kind = VB_FLAG_TEXT, .value = "SIZE", .help = "budget of a rank, such as 512MiB [1GiB]"},
    {.name = "threads", .kind = VB_FLAG_NUMBER, .value = "N", .help = "threads a rank", .low = 1, .high = 1024},
    {.name = "device",
     .kind = VB_FLAG_TEXT,
     .value = "cpu|gpu|auto",
     .help = "what searches beside the threads, where it is faster: the same lists [cpu]"},
    {.name = "checkpoint",
     .kind = VB_FLAG_TEXT,
     .value = "DIR",
     .help = "finished work of a scan that was stopped [LIST.jsonl.zst.checkpoint]"},
    {.name = "checkpoint-seconds",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "seconds between checkpoints [60]",
     .high = 1000000},
    {0},
};

const char vb_cmd_retrieve_details[] =
    "Rows are numbered from 0 over the parts in the byte order of their names. The score of a row is "
    "its inner product with the query, both as\n"
    "they are stored ('cosine': divided by both norms). Lists are exact: ordered as if in real "
    "arithmetic, higher scores first, equal scores by\n"
    "row number; they do not depend on ranks, threads or memory. Rows with a NaN or an infinity are "
    "counted and not listed; so are rows of\n"
    "zeros under 'cosine', while under 'dot' they score 0. A scan that was stopped goes on when the "
    "same command is run again, on any number of\n"
    "ranks.";

/* ---- the summary ---- */

typedef struct retrieve_job {
    vb_context *context;
    vb_corpus corpus;
    vb_npy stored; /* rank 0 */
    float *queries;
    int64_t count;
    vb_retrieve_options options;
    char *checkpoint;
    vb_retrieve_summary summary;
    vb_hit_lists lists;
    vb_device device;
    vb_device_kind kind;
} retrieve_job;

/* LIST.summary.json for LIST.jsonl.zst. */
static char *summary_path(const char *output, vb_error *err) {
    static const char *const endings[] = {".jsonl.zst", ".jsonl", ".zst"};
    size_t n = strlen(output);
    for (int i = 0; i < 3; i++)
        if (vb_path_ends_with(output, endings[i])) {
            n -= strlen(endings[i]);
            break;
        }
    return vb_format(err, "%.*s.summary.json", (int)n, output);
}

static int write_summary(const retrieve_job *job, vb_error *err) {
    const vb_retrieve_summary *summary = &job->summary;
    vb_json json = {0};
    json_t *object = vb_json_object(&json);
    vb_json_set_text(&json, object, "schema", "vocabench.retrieval/1");
    vb_json_set_text(&json, object, "similarity", vb_score_names[job->options.similarity]);
    vb_json_set_integer(&json, object, "queries", summary->queries);
    vb_json_set_integer(&json, object, "top_k", job->options.top_k);
    vb_json_set_integer(&json, object, "listed", summary->listed);
    vb_json_set_integer(&json, object, "rows", summary->rows);
    vb_json_set_integer(&json, object, "dimensions", job->corpus.dim);
    vb_json_set_integer(&json, object, "parts", (int64_t)job->corpus.part_count);
    vb_json_set_integer(&json, object, "rows_not_finite", summary->not_finite);
    vb_json_set_integer(&json, object, "rows_zero", summary->zero);
    vb_json_set_text(&json, object, "engine", job->options.quantized ? "int8" : "float");
    vb_json_set_text(&json, object, "exact", "proven");
    json_t *run = vb_json_set_object(&json, object, "run");
    vb_json_set_integer(&json, run, "ranks", job->context->comm.size);
    vb_json_set_integer(&json, run, "threads", job->options.threads);
    vb_json_set_text(&json, run, "isa", vb_isa_name(vb_isa_level()));
    vb_json_set_real(&json, run, "seconds", vb_live_now() - job->context->started);
    vb_json_set_integer(&json, run, "blocks", summary->blocks);
    vb_json_set_integer(&json, run, "blocks_resumed", summary->blocks_resumed);
    vb_json_set_integer(&json, run, "rescored", summary->rescored);
    vb_json_set_integer(&json, run, "rows_on_device", summary->rows_on_device);
    vb_json_set_integer(&json, run, "bytes_read", summary->bytes_read);
    vb_json_set_integer(&json, run, "candidates", summary->candidates);
    vb_json_set_real(&json, run, "mean_slack", summary->slack);
    vb_json_set_text(&json, run, "version", vb_provenance_version());
    vb_json_set_text(&json, run, "revision", vb_provenance_revision());
    char *path = summary_path(job->lists.output, err);
    int status = path ? vb_json_end(&json, "the summary", err) : -1;
    if (!status) status = vb_json_write(object, path, err);
    json_decref(object);
    vb_free(path);
    return status;
}

/* ---- input ---- */

static int parse(retrieve_job *job, const vb_arguments *arguments, vb_error *err) {
    static const vb_similarity similarities[] = {VB_DOT, VB_COSINE}; /* as the flag has them */
    const char *memory = vb_arguments_text(arguments, "memory"), *checkpoint = vb_arguments_text(arguments, "checkpoint");
    int similarity, kind;
    job->lists.output = vb_arguments_text(arguments, "output");
    job->lists.ids = vb_arguments_text(arguments, "ids");
    if (vb_arguments_choice(arguments, "similarity", 0, &similarity, err)) return -1;
    if (vb_arguments_choice(arguments, "device", VB_DEVICE_CPU, &kind, err)) return -1; /* the words of vb_device_kind */
    job->kind = (vb_device_kind)kind;
    if (vb_options_parse_size(memory ? memory : "1GiB", &job->options.memory, err)) {
        err->code = VB_EUSAGE; /* it comes from the command line here */
        return vb_error_prefix(err, "retrieve");
    }
    if (!(job->checkpoint = checkpoint ? vb_strdup(checkpoint, err) : vb_format(err, "%s.checkpoint", job->lists.output)))
        return -1;
    job->options.checkpoint = job->checkpoint;
    job->options.quantized = vb_arguments_text(arguments, "quantized");
    job->options.checkpoint_seconds = (double)vb_arguments_number(arguments, "checkpoint-seconds", 60);
    job->options.similarity = similarities[similarity];
    job->options.top_k = vb_arguments_number(arguments, "top-k", 0);
    job->options.threads = (int)vb_arguments_number(arguments, "threads", vb_threads_default(&job->context->comm));
    return 0;
}

/* On rank 0. */
static int read_queries(retrieve_job *job, const char *path, vb_error *err) {
    if (vb_npy_open(&job->stored, path, err)) return -1;
    const vb_tensor *tensor = &job->stored.tensor;
    if (tensor->ndim != 2)
        return vb_errorf(err, VB_EDATA, "%s: an array of %d dimension%s, expected queries x dimensions", path, tensor->ndim,
                         tensor->ndim == 1 ? "" : "s");
    if (tensor->dtype != VB_F32 && tensor->dtype != VB_F16)
        return vb_errorf(err, VB_EUNSUPPORTED, "%s: elements of type %s, expected fp32 or fp16", path,
                         vb_dtype_name(tensor->dtype));
    if (!tensor->shape[0]) return vb_errorf(err, VB_EDATA, "%s: no queries", path);
    if (tensor->shape[1] != job->corpus.dim)
        return vb_errorf(err, VB_EMISMATCH, "%s: queries of %" PRId64 " dimensions, the rows of %s have %d", path,
                         tensor->shape[1], job->corpus.parts[0].path, job->corpus.dim);
    job->count = tensor->shape[0];
    return 0;
}

/* The queries on every rank. Collective. */
static int share_queries(retrieve_job *job, const char *path, vb_error *err) {
    vb_comm *comm = &job->context->comm;
    if (vb_comm_agree(comm, comm->rank ? 0 : read_queries(job, path, err), err)) return -1;
    if (vb_comm_broadcast(comm, &job->count, sizeof job->count, err)) return -1;
    size_t elements = (size_t)job->count * (size_t)job->corpus.dim;
    job->queries = vb_array(elements, sizeof *job->queries, "queries", err);
    if (vb_comm_agree(comm, job->queries ? 0 : -1, err)) return -1;
    for (size_t i = 0; !comm->rank && i < elements; i++) job->queries[i] = vb_tensor_at(&job->stored.tensor, (int64_t)i);
    vb_npy_close(&job->stored);
    return vb_comm_broadcast(comm, job->queries, elements * sizeof *job->queries, err);
}

static void report(const retrieve_job *job) {
    const vb_retrieve_summary *summary = &job->summary;
    if (summary->not_finite)
        fprintf(stderr, "vocabench: note: %" PRId64 " rows of %s hold a NaN or an infinity and are not listed\n",
                summary->not_finite, job->corpus.name);
    if (summary->zero)
        fprintf(stderr, "vocabench: note: %" PRId64 " rows of %s are all zeros and %s\n", summary->zero, job->corpus.name,
                job->options.similarity == VB_COSINE ? "are not listed" : "score 0");
    if (summary->listed < job->options.top_k)
        fprintf(stderr, "vocabench: note: %s has %" PRId64 " rows to list, fewer than --top-k %" PRId64 "\n", job->corpus.name,
                summary->listed, job->options.top_k);
    printf("%" PRId64 " x %" PRId64 " of %" PRId64 " rows in %zu part%s: %s\n", summary->queries, summary->listed, summary->rows,
           job->corpus.part_count, job->corpus.part_count == 1 ? "" : "s", job->lists.output);
}

/* What a killed one has left of the files that this one writes. On rank 0. */
static void sweep(const retrieve_job *job) {
    vb_error none;
    char *summary = summary_path(job->lists.output, &none);
    vb_writer_sweep_beside(job->lists.output);
    if (job->lists.ids) vb_writer_sweep_beside(job->lists.ids);
    if (summary) vb_writer_sweep_beside(summary);
    vb_writer_sweep_temporaries(job->checkpoint);
    vb_free(summary);
}

int vb_cmd_retrieve(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_comm *comm = &context->comm;
    retrieve_job job = {.context = context};
    int status = vb_comm_agree(comm, parse(&job, arguments, err), err);
    if (!status && !comm->rank) sweep(&job);
    if (!status) status = vb_device_open(&job.device, context, job.kind, VB_DEVICE_STRICT, err);
    if (!status) status = vb_retrieve_corpus_open_shared(&job.corpus, comm, vb_arguments_text(arguments, "corpus"), err);
    if (!status) status = share_queries(&job, vb_arguments_text(arguments, "queries"), err);
    const vb_retrieve_sink sink = vb_hit_lists_sink(&job.lists);
    if (!status) status = vb_retrieve(context, &job.corpus, job.queries, job.count, &job.options, &sink, &job.summary, err);
    if (!comm->rank && !status) {
        status = vb_hit_lists_commit(&job.lists, err);
        if (!status) status = write_summary(&job, err);
        if (!status) report(&job);
        if (!status) vb_retrieve_forget(&job.corpus, job.queries, job.count, &job.options);
    }
    vb_device_close(&job.device, context);
    vb_hit_lists_close(&job.lists);
    vb_npy_close(&job.stored);
    vb_corpus_close(&job.corpus);
    vb_free(job.queries);
    vb_free(job.checkpoint);
    return vb_comm_agree(comm, status, err);
}
