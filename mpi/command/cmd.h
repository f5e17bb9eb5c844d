/* The commands: what each row of the table in main.c points to. Every run function is collective over the context's ranks. */
#ifndef VB_CMD_H
#define VB_CMD_H

#include "mpi/ranks/context.h"
#include "mpi/experiment/options.h"

int vb_cmd_run(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_plan(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_encode(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_tokenize(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_preprocess(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_pack(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_candidates(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_retrieve(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_submit(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_merge(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_status(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_report(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_compare(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_inspect(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_version(vb_context *context, const vb_arguments *arguments, vb_error *err);

extern const vb_flag vb_run_flags[], vb_plan_flags[], vb_encode_flags[], vb_tokenize_flags[], vb_preprocess_flags[],
    vb_pack_flags[], vb_candidates_flags[], vb_retrieve_flags[], vb_submit_flags[], vb_merge_flags[], vb_status_flags[],
    vb_report_flags[], vb_compare_flags[], vb_inspect_flags[], vb_version_flags[];
extern const char vb_run_details[], vb_encode_details[], vb_candidates_details[], vb_retrieve_details[], vb_submit_details[],
    vb_merge_details[], vb_status_details[], vb_report_details[], vb_compare_details[];

/* What `help run` and the man page say of experiment files. */
extern const vb_option_group vb_experiment_arguments_keys[];

/* The experiment that a command line of `run` or `plan` names, with its overrides. Collective. */
struct vb_experiment;
int vb_experiment_arguments_read(struct vb_experiment *experiment, vb_context *context, const vb_arguments *arguments,
                                 vb_error *err);

#endif
