/* `vocabench plan`: what a run would do, without doing it. */
#include <omp.h>

#include "mpi/command/cmd.h"
#include "mpi/command/experiment_arguments.h"
#include "mpi/experiment/missing_path.h"
#include "mpi/plan/check.h"
#include "mpi/plan/plan.h"
#include "mpi/plan/plan_scan.h"

const vb_flag vb_cmd_plan_flags[] = {
    VB_EXPERIMENT_ARGUMENTS_RANKS("plan for"),
    {.option = "output", .help = "folder of the results, whose cache is looked at"},
    {.option = "cache"},
    VB_EXPERIMENT_ARGUMENTS_SET,
    {.option = "limit"},
    {.option = "batch"},
    {.option = "threads"},
    {.option = "device"},
    {.option = "decode_memory"},
    {.option = "ranks_per_model"},
    VB_EXPERIMENT_ARGUMENTS_RANKS_PER_NODE,
    {.name = "scan",
     .kind = VB_FLAG_TEXT,
     .value = "ROWSxDIM",
     .help = "plan the scan of a corpus of that size instead of an experiment"},
    {.name = "storage", .kind = VB_FLAG_TEXT, .value = "TYPE", .help = "of its rows: fp32, fp16, bf16, int8 [fp16]"},
    {.name = "queries", .kind = VB_FLAG_NUMBER, .value = "N", .help = "of the scan [1000]", .low = 1, .high = 1 << 24},
    {.name = "top-k", .kind = VB_FLAG_NUMBER, .value = "K", .help = "rows listed a query [100]", .low = 1, .high = 1 << 20},
    {.name = "node-threads",
     .kind = VB_FLAG_NUMBER,
     .value = "N",
     .help = "of a node that scans [the cores here]",
     .low = 1,
     .high = 1 << 16},
    {.name = "disk-mb",
     .kind = VB_FLAG_NUMBER,
     .value = "MB",
     .help = "MB a second that a node reads [1000]",
     .low = 1,
     .high = 1 << 24},
    {0},
};

/* Without an experiment: a corpus that need not exist here. */
static int plan_scan(const vb_arguments *arguments, vb_error *err) {
    const char *storage = vb_arguments_text(arguments, "storage");
    vb_scan_plan scan = {.queries = vb_arguments_number(arguments, "queries", 1000),
                         .top_k = vb_arguments_number(arguments, "top-k", 100),
                         .threads = (int)vb_arguments_number(arguments, "node-threads", omp_get_num_procs()),
                         .disk = 1e6 * (double)vb_arguments_number(arguments, "disk-mb", 1000)};
    if (vb_plan_scan_shape(&scan, vb_arguments_text(arguments, "scan"), err)) return -1;
    if (vb_plan_scan_storage(&scan, storage ? storage : "fp16", err)) return -1;
    return vb_plan_scan_print(&scan, err);
}

int vb_cmd_plan(vb_context *context, const vb_arguments *arguments, vb_error *err) {
    vb_experiment experiment;
    vb_plan_sizes sizes;
    if (vb_arguments_given(arguments, "scan"))
        return vb_comm_agree(&context->comm, context->comm.rank ? 0 : plan_scan(arguments, err), err);
    if (!arguments->positional_count)
        return vb_errorf(err, VB_EUSAGE, "plan: expected FILE.yaml or --scan ROWSxDIM; see 'vocabench help plan'");
    if (vb_experiment_arguments_read(&experiment, context, arguments, err)) return -1;
    int ranks = (int)vb_arguments_number(arguments, "ranks", context->comm.size), status = 0;
    /* The plan is one rank's work: the others wait at the end. */
    if (!context->comm.rank) {
        /* What a run would stop at is said before any table is. */
        const vb_check_machine machine = {.ranks = ranks, .ranks_a_node = ranks, .inputs_alone = true};
        vb_findings findings = {.experiment = &experiment, .brief = true};
        status = vb_check(&experiment, &machine, &findings, err);
        if (!status) status = vb_findings_brief(&findings, err);
        if (!status) {
            status = vb_plan(&experiment, ranks, vb_arguments_number(arguments, "ranks-per-node", ranks), true, &sizes, err);
            if (status) vb_missing_path_explain(&experiment, err);
        }
    }
    vb_experiment_free(&experiment);
    return vb_comm_agree(&context->comm, status, err);
}
