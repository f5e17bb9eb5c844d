/* `vocabench pack`: any dataset as WebDataset shards with a manifest, on the first rank; or a corpus as 8-bit codes, on all
 * ranks. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mpi/command/cmd.h"
#include "mpi/ranks/progress.h"
#include "mpi/ranks/threads.h"
#include "mpi/retrieve/corpus_coding.h"
#include "mpi/retrieve/retrieve.h"
#include "shards/files/writer.h"
#include "shards/datasets/pack.h"

const vb_flag vb_cmd_pack_flags[] = {
    {.name = "input",
     .kind = VB_FLAG_TEXT,
     .value = "SOURCE",
     .required = true,
     .help = "folder of class folders, .tar/.tar.zst (glob) or CIFAR binary; with --quantize a corpus as 'retrieve' takes it"},
    {.name = "output",
     .kind = VB_FLAG_TEXT,
     .value = "DIR",
     .required = true,
     .help = "folder for 00000.tar.zst ... (or 000000.vbq ...) and manifest.json"},
    {.name = "samples-per-shard",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "images a shard [4096]",
     .low = 1,
     .high = 1 << 30},
    {.name = "class-names", .kind = VB_FLAG_TEXT, .value = "FILE", .help = "names of integer labels, one a line"},
    {.name = "level", .kind = VB_FLAG_NUMBER, .value = "N", .help = "of zstd [3]", .low = 1, .high = 19},
    {.name = "quantize",
     .kind = VB_FLAG_TEXT,
     .value = "int8",
     .help = "certified 8-bit copy of a corpus of embeddings, for 'retrieve --quantized'"},
    {.name = "similarity", .kind = VB_FLAG_TEXT, .value = "dot|cosine", .help = "that the 8-bit copy is for [dot]"},
    {.name = "threads",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "threads a rank, for the 8-bit copy",
     .low = 1,
     .high = 1024},
    {0},
};

typedef struct watch {
    vb_context *context;
    vb_progress progress;
} watch;

/* Shards are whole before the manifest names them: what is there of them is written anew. */
static int on_progress(void *context, int64_t done, int64_t samples, vb_error *err) {
    watch *its = context;
    vb_error why;
    vb_progress_step(&its->progress, done - its->progress.done);
    if (!vb_context_check_stop(its->context, &why)) return 0;
    return vb_errorf(err, why.code, "pack: stopped after %lld of %lld images; the same command begins anew", (long long)done,
                     (long long)samples);
}

static int pack(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const char *input = vb_arguments_text(arguments, "input"), *output = vb_arguments_text(arguments, "output");
    vb_dataset *dataset;
    if (vb_dataset_open(&dataset, input, vb_arguments_text(arguments, "class-names"), err)) return -1;
    watch its = {.context = context};
    vb_context alone = *context; /* the other ranks wait */
    alone.comm.size = 1;
    vb_progress_start(&its.progress, &alone, "pack", input, "images", vb_dataset_samples(dataset));
    vb_pack_options options = vb_pack_defaults();
    options.samples_per_shard = vb_arguments_number(arguments, "samples-per-shard", options.samples_per_shard);
    options.level = (int)vb_arguments_number(arguments, "level", options.level);
    options.progress = on_progress;
    options.context = &its;
    vb_pack_result result;
    vb_writer_sweep_temporaries(output);
    int status = vb_pack(dataset, output, &options, &result, err);
    vb_progress_end(&its.progress);
    if (!status)
        printf("%lld images in %lld shard%s, %.1f MB: %s\n", (long long)result.samples, (long long)result.shards,
               result.shards == 1 ? "" : "s", 1e-6 * (double)result.bytes, output);
    vb_dataset_close(dataset);
    return status;
}

/* The 8-bit copy. Collective. */
static int quantize(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    static const vb_similarity similarities[] = {VB_DOT, VB_COSINE}; /* as the flag has them */
    const char *output = vb_arguments_text(arguments, "output");
    int threads = (int)vb_arguments_number(arguments, "threads", vb_threads_default(&context->comm)), storage, similarity = 0;
    vb_corpus corpus;
    vb_quantized copy = {0};
    int status = vb_arguments_choice(arguments, "quantize", 0, &storage, err);
    if (!status) status = vb_arguments_choice(arguments, "similarity", 0, &similarity, err);
    if (vb_comm_agree(&context->comm, status, err)) return -1;
    if (vb_retrieve_corpus_open_shared(&corpus, &context->comm, vb_arguments_text(arguments, "input"), err)) return -1;
    status = vb_corpus_coding_write(context, &corpus, output, similarities[similarity], threads, &copy, err);
    if (!status && !context->comm.rank)
        printf("%" PRId64 " rows in %zu part%s (%" PRId64 " not finite, %" PRId64 " zero): %s\n", copy.rows, copy.part_count,
               copy.part_count == 1 ? "" : "s", copy.not_finite, copy.zero, output);
    vb_quantized_close(&copy);
    vb_corpus_close(&corpus);
    return status;
}

/* Flags of the other kind of copy would have no effect. */
static int check_flags(const vb_arguments *arguments, vb_error *err) {
    static const struct {
        const char *name;
        bool coded;
    } flags[] = {{"samples-per-shard", false}, {"class-names", false}, {"level", false}, {"similarity", true}, {"threads", true}};
    const bool coded = vb_arguments_given(arguments, "quantize");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].coded != coded && vb_arguments_given(arguments, flags[i].name))
            return vb_errorf(err, VB_EUSAGE, "pack: --%s is of %s, %s --quantize", flags[i].name,
                             coded ? "shards of images" : "the 8-bit copy of a corpus", coded ? "not of" : "which needs");
    return 0;
}

int vb_cmd_pack(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    if (vb_comm_agree(&context->comm, check_flags(arguments, err), err)) return -1;
    if (vb_arguments_given(arguments, "quantize")) return quantize(context, arguments, err);
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : pack(context, arguments, err), err);
}
