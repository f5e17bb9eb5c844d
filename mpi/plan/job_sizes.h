/* How large a Slurm job for an experiment is: ranks a node and memory, from its plan and the nodes of the partition. Local. */
#ifndef VB_JOB_SIZES_H
#define VB_JOB_SIZES_H

#include "mpi/plan/plan.h"

typedef struct vb_job_request {
    const char *partition;
    int64_t nodes; /* of the job, or of every task of an array */
    int64_t cpus;  /* cores a rank; 0: one, and of ranks with a GPU each their part of the node's */
    int64_t tasks; /* ranks a node; 0: what cores, memory and work allow, and no more than GPUs where some are asked for */
    int64_t gpus;  /* a node; 0: none */
    bool array;    /* a task a model */
    bool plan;     /* open the data and plan */
    bool guess;    /* this machine's cores where Slurm does not tell those of the partition's nodes (a dry run) */
} vb_job_request;

typedef struct vb_job_sizes {
    int64_t nodes, tasks, cpus;
    bool planned;
    bool guessed;       /* `tasks` follows from the cores of this machine */
    vb_plan_sizes plan; /* when planned, */
    int64_t memory;     /* and then MB of a node; 0: Slurm does not know what its nodes have, and would refuse any */
} vb_job_sizes;

/* Asks sinfo (with that environment) for the partition's smallest node where `tasks` is not stated. VB_EUSAGE when the cores are
 * not known and not to be guessed; the plan's errors. MPI must have been started. */
int vb_job_sizes_choose(const vb_experiment *experiment, const vb_job_request *request, char *const *environment,
                        vb_job_sizes *sizes, vb_error *err);

/* Bytes as MB (2^20), rounded up. */
int64_t vb_job_sizes_megabytes(int64_t bytes);

#endif
