/* What Slurm knows of a job. Local. */
#ifndef VB_SLURM_JOB_H
#define VB_SLURM_JOB_H

#include <stdbool.h>
#include <stddef.h>

/* What Slurm says of jobs, whose numbers are parted by commas: one question for all of them, as a question a job of a large array
 * would keep the controller busy. NULL when it cannot be asked, or has forgotten a single job. Free with vb_free. */
char *vb_slurm_job_ask(const char *jobs, char *const *environment);
/* A job's state by that answer (which may be NULL) in Slurm's words, "" when Slurm does not list it (any more). */
void vb_slurm_job_state(const char *answer, const char *job, char *word, size_t size);
/* Whether Slurm answers and does not list the job as one that runs: it has ended, or waits to be started (again). */
bool vb_slurm_job_is_gone(const char *job, char *const *environment);

#endif
