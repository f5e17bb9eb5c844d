/* `vocabench pack`: any dataset as WebDataset shards with a manifest, on the first rank; or a corpus as 8-bit codes, on all
 * ranks. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mpi/command/cmd.h"
#include "mpi/ranks/progress.h"
#include "mpi/base/provenance.h"
#include "mpi/retrieve/corpus_coding.h"
#include "mpi/retrieve/retrieve.h"
#include "shards/datasets/pack.h"

const vb_flag vb_pack_flags[] = {
    {"input", VB_FLAG_TEXT, "SOURCE", true,
     "folder of class folders, .tar/.tar.zst (glob) or CIFAR binary; with --quantize a corpus as 'retrieve' takes it", 0, 0},
    {"output", VB_FLAG_TEXT, "DIR", true, "folder for 00000.tar.zst ... (or 000000.vbq ...) and manifest.json", 0, 0},
    {"samples-per-shard", VB_FLAG_NUMBER, "N", false, "images a shard [4096]", 1, 1 << 30},
    {"class-names", VB_FLAG_TEXT, "FILE", false, "names of integer labels, one a line", 0, 0},
    {"level", VB_FLAG_NUMBER, "N", false, "of zstd [3]", 1, 19},
    {"quantize", VB_FLAG_TEXT, "int8", false, "certified 8-bit copy of a corpus of embeddings, for 'retrieve --quantized'", 0, 0},
    {"similarity", VB_FLAG_TEXT, "dot|cosine", false, "that the 8-bit copy is for [dot]", 0, 0},
    {"threads", VB_FLAG_NUMBER, "N", false, "threads a rank, for the 8-bit copy", 1, 1024},
    {0}};

static void on_progress(void *context, int64_t done, int64_t samples) {
    vb_progress *progress = context;
    (void)samples;
    vb_progress_step(progress, done - progress->done);
}

static int pack(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const vb_command *command = context->command;
    const char *input = vb_arguments_text(arguments, command, "input"), *output = vb_arguments_text(arguments, command, "output");
    vb_dataset *dataset;
    if (vb_dataset_open(&dataset, input, vb_arguments_text(arguments, command, "class-names"), err)) return -1;
    vb_progress progress;
    vb_progress_start(&progress, 0, 1, "pack", input, "images", vb_dataset_samples(dataset));
    vb_pack_options options = vb_pack_defaults();
    options.samples_per_shard = vb_arguments_number(arguments, command, "samples-per-shard", options.samples_per_shard);
    options.level = (int)vb_arguments_number(arguments, command, "level", options.level);
    options.progress = on_progress;
    options.context = &progress;
    vb_pack_result result;
    int status = vb_pack(dataset, output, &options, &result, err);
    vb_progress_end(&progress);
    if (!status)
        printf("%lld images in %lld shard%s, %.1f MB: %s\n", (long long)result.samples, (long long)result.shards,
               result.shards == 1 ? "" : "s", 1e-6 * (double)result.bytes, output);
    vb_dataset_close(dataset);
    return status;
}

/* The 8-bit copy. Collective. */
static int quantize(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const vb_command *command = context->command;
    const char *similarity = vb_arguments_text(arguments, command, "similarity"),
               *output = vb_arguments_text(arguments, command, "output");
    int threads = (int)vb_arguments_number(arguments, command, "threads", vb_threads_default(&context->comm)), status = 0;
    vb_corpus corpus;
    vb_quantized copy = {0};
    if (strcmp(vb_arguments_text(arguments, command, "quantize"), "int8"))
        status = vb_errorf(err, VB_EUSAGE, "pack: --quantize: expected int8, found '%s'",
                           vb_arguments_text(arguments, command, "quantize"));
    else if (similarity && strcmp(similarity, "dot") && strcmp(similarity, "cosine"))
        status = vb_errorf(err, VB_EUSAGE, "pack: --similarity: expected dot or cosine, found '%s'", similarity);
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    if (vb_retrieve_corpus_open_shared(&corpus, &context->comm, vb_arguments_text(arguments, command, "input"), err)) return -1;
    status = vb_corpus_coding_write(context, &corpus, output, similarity && !strcmp(similarity, "cosine") ? VB_COSINE : VB_DOT,
                                    threads, &copy, err);
    if (!status && !context->comm.rank)
        printf("%" PRId64 " rows in %zu part%s (%" PRId64 " not finite, %" PRId64 " zero): %s\n", copy.rows, copy.part_count,
               copy.part_count == 1 ? "" : "s", copy.not_finite, copy.zero, output);
    vb_quantized_close(&copy);
    vb_corpus_close(&corpus);
    return status;
}

int vb_cmd_pack(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    if (vb_arguments_given(arguments, context->command, "quantize")) return quantize(context, arguments, err);
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : pack(context, arguments, err), err);
}
