/* `vocabench pack`: any dataset as WebDataset shards with a manifest, on the first rank. */
#include <stdio.h>

#include "mpi/commands.h"
#include "mpi/progress.h"
#include "shards/pack.h"

const vb_flag vb_pack_flags[] = {{"input", VB_FLAG_TEXT, "SOURCE", true,
                                  "folder of class folders, .tar/.tar.zst (glob) or CIFAR binary", 0, 0},
                                 {"output", VB_FLAG_TEXT, "DIR", true, "folder for 00000.tar.zst ... and manifest.json", 0, 0},
                                 {"samples-per-shard", VB_FLAG_NUMBER, "N", false, "images a shard [4096]", 1, 1 << 30},
                                 {"class-names", VB_FLAG_TEXT, "FILE", false, "names of integer labels, one a line", 0, 0},
                                 {"level", VB_FLAG_NUMBER, "N", false, "of zstd [3]", 1, 19},
                                 {0}};

static void on_progress(void *context, int64_t done, int64_t samples) {
    vb_progress *progress = context;
    (void)samples;
    vb_progress_step(progress, done - progress->done);
}

static int pack(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const vb_command *command = context->command;
    const char *input = vb_argument(arguments, command, "input"), *output = vb_argument(arguments, command, "output");
    vb_dataset *dataset;
    if (vb_dataset_open(&dataset, input, vb_argument(arguments, command, "class-names"), err)) return -1;
    vb_progress progress;
    vb_progress_start(&progress, 0, 1, "pack", input, "images", vb_dataset_samples(dataset));
    vb_pack_options options = vb_pack_defaults();
    options.samples_per_shard = vb_argument_number(arguments, command, "samples-per-shard", options.samples_per_shard);
    options.level = (int)vb_argument_number(arguments, command, "level", options.level);
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

int vb_cmd_pack(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_agree(&context->comm, context->comm.rank ? 0 : pack(context, arguments, err), err);
}
