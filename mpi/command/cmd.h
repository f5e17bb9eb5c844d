/* The commands: the table of them, and what its rows point to. A command reads its arguments, calls, and prints. */
#ifndef VB_CMD_H
#define VB_CMD_H

#include "mpi/command/arguments.h"
#include "mpi/ranks/context.h"

/* All commands in the order of the help; ends with a row without a name. */
extern const vb_command vb_cmd_table[];

/* What the rows run. Collective over the context's ranks: all return 0, or all -1 with an error (that of the first rank that
 * failed). Results go to the files that the arguments name, summaries to rank 0's standard output. */
int vb_cmd_init(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_run(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_plan(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_check(vb_context *context, const vb_arguments *arguments, vb_error *err);
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
int vb_cmd_verify(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_inspect(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_version(vb_context *context, const vb_arguments *arguments, vb_error *err);
int vb_cmd_devices(const vb_command *commands, const vb_arguments *arguments, vb_error *err); /* local, as the next */
int vb_cmd_models(const vb_command *commands, const vb_arguments *arguments, vb_error *err);
int vb_cmd_help(const vb_command *commands, const vb_arguments *arguments, vb_error *err);

/* The rows' tables of flags and paragraphs of help. */
extern const vb_flag vb_cmd_verify_flags[], vb_cmd_init_flags[], vb_cmd_run_flags[], vb_cmd_plan_flags[], vb_cmd_check_flags[],
    vb_cmd_encode_flags[], vb_cmd_tokenize_flags[], vb_cmd_preprocess_flags[], vb_cmd_pack_flags[], vb_cmd_candidates_flags[],
    vb_cmd_retrieve_flags[], vb_cmd_submit_flags[], vb_cmd_merge_flags[], vb_cmd_status_flags[], vb_cmd_report_flags[],
    vb_cmd_compare_flags[], vb_cmd_inspect_flags[], vb_cmd_models_flags[], vb_cmd_devices_flags[], vb_cmd_version_flags[],
    vb_cmd_help_flags[];
extern const char vb_cmd_verify_details[], vb_cmd_init_details[], vb_cmd_run_details[], vb_cmd_check_details[],
    vb_cmd_encode_details[], vb_cmd_candidates_details[], vb_cmd_retrieve_details[], vb_cmd_submit_details[],
    vb_cmd_merge_details[], vb_cmd_status_details[], vb_cmd_report_details[], vb_cmd_compare_details[], vb_cmd_models_details[],
    vb_cmd_devices_details[];

#endif
