/* The tasks of a job array: one a model, or one for each pair of model and dataset. Local.
 *
 * Task i writes into OUTPUT/array/i. Slurm bounds the numbers of one array (MaxArraySize): more tasks are several arrays, of
 * which OUTPUT/array/submitted has a line each: "JOB FIRST", its number and its first task. */
#ifndef VB_JOB_TASKS_H
#define VB_JOB_TASKS_H

#include "mpi/experiment/experiment.h"

typedef struct vb_job_task {
    const char *model, *dataset; /* dataset: NULL, all of the model's */
    bool wanted;                 /* to be submitted */
} vb_job_task;

typedef struct vb_job_tasks {
    vb_job_task *items;
    int count, wanted;
    int part;      /* tasks of one array, at most */
    char *pending; /* of tasks that are not to be submitted because they are in the queue: "ID_TASK:ID_TASK"; NULL: none */
} vb_job_tasks;

/* All tasks of an experiment, all of them wanted, in one array. Names belong to the experiment. Free after a failure, too. */
int vb_job_tasks_list(vb_job_tasks *tasks, const vb_experiment *experiment, bool by_pair, vb_error *err);
void vb_job_tasks_free(vb_job_tasks *tasks);

/* Asks scontrol for the largest array; VB_JOB_TASKS_USUAL, with a line on stderr, where it does not tell. */
enum { VB_JOB_TASKS_USUAL = 1001 }; /* Slurm's default */
void vb_job_tasks_bound(vb_job_tasks *tasks, char *const *environment);

/* VB_EMISMATCH when OUTPUT/array has results, behind those of all tasks, that merge would refuse. */
int vb_job_tasks_check_folders(const vb_job_tasks *tasks, const vb_experiment *experiment, vb_error *err);

/* Leaves wanted what has neither ended well nor is in the queue, by OUTPUT/array and squeue, and says so on stderr. VB_EMISMATCH
 * when a task's folder is another model's or dataset's, or one that has ended well is of another configuration. VB_EUSAGE when
 * squeue does not answer, unless `guess` (a dry run). */
int vb_job_tasks_retry(vb_job_tasks *tasks, const vb_experiment *experiment, char *const *environment, bool guess, vb_error *err);

/* The wanted tasks among [first, first + part) as sbatch's --array takes them, counted from `first`: "0-3,7", with "%N" behind
 * where at_once > 0; "" when there is none. Free with vb_free. */
char *vb_job_tasks_numbers(const vb_job_tasks *tasks, int first, int64_t at_once, vb_error *err);

/* Adds a line to OUTPUT/array/submitted. */
int vb_job_tasks_note(const char *output, const char *job, int first, vb_error *err);

#endif
