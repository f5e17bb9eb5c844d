/* `vocabench run`: an experiment from its file to results.json and tables. */
#include <stdio.h>

#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/run/run.h"

const vb_flag vb_cmd_run_flags[] = {
    {.option = "output"},
    {.name = "set",
     .kind = VB_FLAG_LIST,
     .value = "path.to.key=value",
     .help = "override a key of the file: seed=7, models.tiny.weights=W, datasets.0.images=DIR"},
    {.name = "resume",
     .kind = VB_FLAG_SWITCH,
     .help = "take (model, dataset) results that an earlier run of the same experiment finished as they are"},
    {.option = "cache", .help = "folder of encoded units [OUTPUT/cache]"},
    {.option = "scratch"},
    {.option = "only_model"},
    {.option = "only_dataset"},
    {.option = "limit"},
    {.option = "batch"},
    {.option = "threads"},
    {.option = "device"},
    {.option = "device_check"},
    {.option = "decode_memory"},
    {.option = "ranks_per_model",
     .help = "evaluate models side by side in groups of at most N ranks [0: as many groups as end soonest]"},
    {.option = "per_image"},
    {.option = "latex"},
    {0},
};

const char vb_cmd_run_details[] =
    "Writes DIR/results.json, table.md and table.csv, and prints the table. Encoded units are kept in the "
    "cache: a second run encodes nothing, and a\n"
    "run that was stopped or killed goes on where it was, at any number of ranks. The same experiment gives "
    "the same bytes (the `run` block of timings\n"
    "and hosts aside) at any number of ranks and threads and any batch size.";

int vb_cmd_run(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_experiment experiment;
    vb_strbuf notes = {0};
    if (vb_experiment_arguments_read(&experiment, context, arguments, err)) return -1;
    int status = vb_run(context, &experiment, vb_arguments_given(arguments, "resume"), &notes, err);
    if (!status && !context->comm.rank)
        printf("%sresults: %s/results.json\n", notes.filled ? notes.bytes : "", experiment.output);
    if (status) vb_missing_path_explain(&experiment, err);
    vb_strbuf_free(&notes);
    vb_experiment_free(&experiment);
    return status;
}
