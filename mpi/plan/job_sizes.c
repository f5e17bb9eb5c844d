/* The arithmetic of ranks and memory on the nodes of a partition. */
#include "mpi/plan/job_sizes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"
#include "mpi/plan/check.h"

/* The smallest node of a partition, memory in MB; 0: not known. */
typedef struct node {
    int64_t cores, memory;
} node;

static int ask_partition(const vb_job_request *request, char *const *environment, node *smallest, vb_error *err) {
    const char *argv[] = {"sinfo", "-h", "-N", "-p", request->partition, "-o", "%c %Z %m", NULL};
    char *answer;
    if (request->guess ? vb_spawn_quiet(argv, environment, &answer, err) : vb_spawn(argv, environment, &answer, err)) return -1;
    for (char *line = strtok(answer, "\n"); line; line = strtok(NULL, "\n")) {
        long long cpus, threads, memory;
        if (sscanf(line, "%lld%*[+] %lld%*[+] %lld", &cpus, &threads, &memory) != 3 &&
            sscanf(line, "%lld %lld %lld", &cpus, &threads, &memory) != 3)
            continue;
        int64_t cores = threads > 1 && cpus >= threads ? cpus / threads : cpus;
        if (!smallest->cores || cores < smallest->cores) smallest->cores = cores;
        if (memory > 1 && (!smallest->memory || memory < smallest->memory)) smallest->memory = memory; /* 1: Slurm was not told */
    }
    vb_free(answer);
    if (smallest->cores > 0) return 0;
    return vb_errorf(err, VB_EUSAGE, "sinfo knows no nodes of partition '%s'", request->partition);
}

int64_t vb_job_sizes_megabytes(int64_t bytes) { return (bytes + (1 << 20) - 1) >> 20; }

/* Memory that one node needs for so many ranks, in MB. Groups of ranks may hold all models at once; a task of an array holds
 * one. */
static int64_t node_need(const vb_job_sizes *sizes, bool array, int64_t tasks) {
    int64_t weights = array ? sizes->plan.largest_model : sizes->plan.all_weights;
    return (tasks * vb_job_sizes_megabytes(sizes->plan.memory_a_rank) + vb_job_sizes_megabytes(weights)) * 5 / 4 +
           64; /* MPI itself, and a margin */
}

/* As many ranks as have a core, a unit of work and memory, and a GPU of their own where some are asked for: a rank feeds one by
 * as many threads as it has cores. */
static int64_t fitting_tasks(const vb_job_sizes *sizes, const vb_job_request *request, const node *smallest) {
    int64_t tasks = smallest->cores / (request->cpus ? request->cpus : 1);
    assert(smallest->cores > 0);
    if (request->gpus && tasks > request->gpus) tasks = request->gpus;
    if (sizes->planned) {
        int64_t units = request->array ? sizes->plan.pair_units : sizes->plan.units;
        if (units < sizes->plan.scan_pieces) units = sizes->plan.scan_pieces;
        const int64_t useful = (units + request->nodes - 1) / request->nodes;
        if (tasks > useful) tasks = useful;
        while (tasks > 1 && smallest->memory && node_need(sizes, request->array, tasks) > smallest->memory) tasks--;
    }
    return tasks < 1 ? 1 : tasks;
}

/* A rank has the threads of its cores where the experiment does not say (OMP_NUM_THREADS in the script). */
static int plan(const vb_experiment *experiment, const vb_job_request *request, int64_t cpus, vb_plan_sizes *sizes,
                vb_error *err) {
    vb_experiment planned = *experiment;
    if (!planned.threads) planned.threads = cpus;
    return vb_plan(&planned, (int)request->nodes, 1, false, sizes, err);
}

int vb_job_sizes_choose(const vb_experiment *experiment, const vb_job_request *request, char *const *environment,
                        vb_job_sizes *sizes, vb_error *err) {
    node smallest = {0};
    assert(request->nodes > 0 && request->cpus >= 0 && request->tasks >= 0 && request->gpus >= 0);
    *sizes = (vb_job_sizes){.nodes = request->nodes,
                            .tasks = request->tasks,
                            .cpus = request->cpus ? request->cpus : 1,
                            .planned = request->plan};
    /* A job that would stop in an hour at what can be known now is not sent. */
    const vb_check_machine machine = {.ranks = (int)request->nodes, .ranks_a_node = 1, .inputs_alone = true};
    vb_findings findings = {.experiment = experiment, .brief = true};
    if (request->plan && (vb_check(experiment, &machine, &findings, err) || vb_findings_brief(&findings, err))) return -1;
    if (request->plan && plan(experiment, request, sizes->cpus, &sizes->plan, err)) return -1;
    if (!sizes->tasks) {
        vb_error why = {0};
        int status = ask_partition(request, environment, &smallest, &why);
        if (status && !request->guess) {
            if (err) *err = why;
            return vb_error_prefix(err, "--ntasks-per-node is missing, and the cores of the nodes are not known");
        }
        sizes->guessed = status != 0;
        if (status) smallest = (node){.cores = sysconf(_SC_NPROCESSORS_ONLN), .memory = INT64_MAX};
        if (status)
            fprintf(stderr, "vocabench: note: the cores of the nodes are not known (%s): %lld, as here, are taken\n", why.text,
                    (long long)smallest.cores);
        sizes->tasks = fitting_tasks(sizes, request, &smallest);
        if (request->gpus && !request->cpus && smallest.cores > sizes->tasks) {
            sizes->cpus = smallest.cores / sizes->tasks;
            if (request->plan && plan(experiment, request, sizes->cpus, &sizes->plan, err)) return -1;
        }
    }
    sizes->memory = node_need(sizes, request->array, sizes->tasks);
    /* Weights are mapped files, which Slurm's limit counts but the kernel can drop. */
    if (smallest.cores && sizes->memory > smallest.memory) sizes->memory = smallest.memory;
    return 0;
}
