/* One run owns an output folder: FOLDER/run.lock, JSON that tells whose it is. One rank, local.
 *
 * {schema: "vocabench.lock/1", host, pid, user, started (Unix seconds), process_started (clock ticks since the machine's start),
 *  boot, machine, pids (the name space that the pid is of), and in a Slurm job slurm_job and slurm_restart}. */
#ifndef VB_OUTPUT_LOCK_H
#define VB_OUTPUT_LOCK_H

#include "kernels/base/error.h"

#define VB_OUTPUT_LOCK_NAME "run.lock"

typedef struct vb_output_lock {
    char *path, *text; /* NULL: nothing is held */
} vb_output_lock;

/* Makes the folder and takes it. The lock of a run that is gone is taken over: its process was of this machine and is no more,
 * the machine has been started again, its Slurm job has ended or waits in the queue, or is this very job started again.
 * VB_EOUTPUT, with who has the folder, when that run goes on, or may go on as far as one can see from here. environment: for
 * Slurm's commands. */
int vb_output_lock_take(vb_output_lock *lock, const char *folder, char *const *environment, vb_error *err);
/* VB_EOUTPUT where vb_output_lock_take would refuse because of another run; takes and writes nothing. */
int vb_output_lock_look(const char *folder, char *const *environment, vb_error *err);
void vb_output_lock_release(vb_output_lock *lock); /* {0} is fine */

#endif
