/* What Slurm knows of a job. Local. */
#ifndef VB_SLURM_JOB_H
#define VB_SLURM_JOB_H

#include <stdbool.h>
#include <stddef.h>

/* The job's state in Slurm's words, "" when Slurm does not list it (any more) or cannot be asked. */
void vb_slurm_job_state(const char *job, char *const *environment, char *word, size_t size);
/* Whether Slurm answers and does not list the job as one that runs: it has ended, or waits to be started (again). */
bool vb_slurm_job_is_gone(const char *job, char *const *environment);

#endif
