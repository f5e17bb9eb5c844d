/* The experiment that a command line of `run`, `check`, `plan` or `submit` names, with the settings that the line overrides. */
#ifndef VB_EXPERIMENT_ARGUMENTS_H
#define VB_EXPERIMENT_ARGUMENTS_H

#include "mpi/command/arguments.h"
#include "mpi/experiment/experiment.h"
#include "mpi/ranks/context.h"

/* Rows of a command's table: a run that would be, and the keys of the file. `what`: "plan for", of as many ranks. */
#define VB_EXPERIMENT_ARGUMENTS_RANKS(what)                                                                                      \
    {                                                                                                                            \
        .name = "ranks", .kind = VB_FLAG_NUMBER, .value = "N", .help = what " N ranks [the ranks it runs on]", .low = 1,         \
        .high = 1 << 20                                                                                                          \
    }
#define VB_EXPERIMENT_ARGUMENTS_RANKS_PER_NODE                                                                                   \
    {                                                                                                                            \
        .name = "ranks-per-node", .kind = VB_FLAG_NUMBER, .value = "N", .help = "ranks on one machine [all]", .low = 1,          \
        .high = 1 << 16                                                                                                          \
    }
#define VB_EXPERIMENT_ARGUMENTS_SET                                                                                              \
    { .name = "set", .kind = VB_FLAG_LIST, .value = "path.to.key=value", .help = "override a key of the file" }

/* What `help run` and the man page say of experiment files. */
extern const vb_option_group vb_experiment_arguments_keys[];

/* Reads the file of the first positional with every --set and every flag that stands for an option; the flags win. All ranks must
 * read the same: VB_EMISMATCH otherwise. After 0 the experiment is to be freed with vb_experiment_free. Collective. */
int vb_experiment_arguments_read(vb_experiment *experiment, vb_context *context, const vb_arguments *arguments, vb_error *err);

#endif
