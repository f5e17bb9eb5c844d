/* `vocabench merge`: runs of parts of one experiment become the results of the whole. */
#include <stdio.h>

#include "mpi/command/cmd.h"
#include "mpi/results/merge.h"

const vb_flag vb_cmd_merge_flags[] = {
    {.name = "partial", .kind = VB_FLAG_SWITCH, .help = "join what is there, although pairs are missing"},
    {.name = "latex", .kind = VB_FLAG_SWITCH, .help = "write table.tex as well"},
    {0},
};

const char vb_cmd_merge_details[] =
    "DIR... are output folders of `run --only-model --only-dataset` (the tasks of a job array) or "
    "files results.json; OUTPUT/array stands for all tasks in it. OUT gets results.json and tables,\n"
    "byte-equal (less `run`) to those of one run of the whole experiment, and the "
    "files of the pairs. Parts of different experiments,\n"
    "configurations, versions or data are refused.";

static int merge(const vb_context *context, const vb_arguments *arguments, vb_error *err) {
    const char *output = arguments->positional[0];
    const vb_merge_options options = {.partial = vb_arguments_given(arguments, "partial"),
                                      .latex = vb_arguments_given(arguments, "latex"),
                                      .environment = context->environment};
    if (vb_merge(output, arguments->positional + 1, arguments->positional_count - 1, &options, err)) return -1;
    printf("results: %s/results.json\n", output);
    return 0;
}

int vb_cmd_merge(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    return vb_comm_agree(&context->comm, context->comm.rank ? 0 : merge(context, arguments, err), err);
}
