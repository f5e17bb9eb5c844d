/* `vocabench check`: what would stop a run, found before it. */
#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/plan/check.h"
#include "mpi/plan/check_sums.h"

const vb_flag vb_cmd_check_flags[] = {
    VB_EXPERIMENT_ARGUMENTS_RANKS("check for a run on"),
    VB_EXPERIMENT_ARGUMENTS_RANKS_PER_NODE,
    {.option = "output"},
    {.option = "cache"},
    VB_EXPERIMENT_ARGUMENTS_SET,
    {.option = "only_model"},
    {.option = "only_dataset"},
    {.option = "limit"},
    {.option = "batch"},
    {.option = "threads"},
    {.option = "decode_memory"},
    {.option = "ranks_per_model"},
    {.name = "sums",
     .kind = VB_FLAG_SWITCH,
     .help = "SHA-256 of all weights, tokenizers and corpora, against what was published; a run takes them from the cache"},
    {.name = "junit", .kind = VB_FLAG_TEXT, .value = "FILE", .plain = true, .help = "write the lines as JUnit's XML, too"},
    {0},
};

const char vb_cmd_check_details[] =
    "Opens everything that a run would open, encodes no image, and prints a line for each thing: ok; note, which a run passes "
    "over and says so; or error,\n"
    "which would stop it. The exit code is 0 without errors, else that of the first one.";

int vb_cmd_check(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_experiment experiment;
    if (vb_experiment_arguments_read(&experiment, context, arguments, err)) return -1;
    int ranks = (int)vb_arguments_number(arguments, "ranks", context->comm.size), status = 0,
        a_node = (int)vb_arguments_number(arguments, "ranks-per-node", ranks);
    const vb_check_machine machine = {.ranks = ranks,
                                      .ranks_a_node = a_node < ranks ? a_node : ranks,
                                      .environment = context->environment};
    /* One rank's work: the others wait at the end. */
    if (!context->comm.rank) {
        vb_strbuf cases = {0};
        const char *junit = vb_arguments_text(arguments, "junit");
        vb_findings findings = {.experiment = &experiment, .cases = junit ? &cases : NULL};
        status = vb_check(&experiment, &machine, &findings, err);
        if (!status && vb_arguments_given(arguments, "sums")) status = vb_check_sums(&experiment, context, &findings, err);
        if (!status && junit && !findings.stopped.code) status = vb_findings_write_junit(&findings, "check", junit, err);
        if (!status) status = vb_findings_close(&findings, err);
        vb_strbuf_free(&cases);
    }
    vb_experiment_free(&experiment);
    return vb_comm_agree(&context->comm, status, err);
}
