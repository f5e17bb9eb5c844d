/* squeue's answers. */
#include "mpi/base/slurm_job.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"

/* The state in the line "JOB STATE" of that job, up to the line's end; NULL: there is no such line. */
static const char *find_state(const char *answer, const char *job) {
    const size_t n = strlen(job);
    for (const char *line = answer; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (!strncmp(line, job, n) && line[n] == ' ') return line + n + 1;
    return NULL;
}

/* The last task of an array that starts has the array's number as its own. Asked for it, squeue lists all tasks of the array,
 * those that wait before those that run: the number tells which of the lines is meant. */
char *vb_slurm_job_ask(const char *jobs, char *const *environment) {
    const char *argv[] = {"squeue", "-h", "-j", jobs, "-o", "%A %T", NULL};
    char *answer;
    vb_error none;
    return vb_spawn_quiet(argv, environment, &answer, &none) ? NULL : answer; /* what it says of a forgotten job is no news */
}

void vb_slurm_job_state(const char *answer, const char *job, char *word, size_t size) {
    const char *state = answer ? find_state(answer, job) : NULL;
    snprintf(word, size, "%.*s", state ? (int)strcspn(state, "\n") : 0, state ? state : "");
}

/* squeue fails alike for a job that it has forgotten and for a controller that does not answer: so all jobs are asked for. */
bool vb_slurm_job_is_gone(const char *job, char *const *environment) {
    const char *argv[] = {"squeue", "-h", "-t", "all", "-o", "%A %T", NULL};
    static const char *const ended[] = {"PENDING", "REQUEUED",  "REQUEUE_HOLD", "COMPLETED", "CANCELLED", "FAILED",
                                        "TIMEOUT", "NODE_FAIL", "PREEMPTED",    "BOOT_FAIL", "DEADLINE",  "OUT_OF_MEMORY"};
    char *answer;
    vb_error none;
    if (vb_spawn(argv, environment, &answer, &none)) return false;
    const char *state = find_state(answer, job);
    const size_t n = state ? strcspn(state, "\n") : 0;
    bool gone = !state;
    for (size_t i = 0; i < sizeof ended / sizeof *ended && !gone; i++)
        gone = strlen(ended[i]) == n && !strncmp(state, ended[i], n);
    vb_free(answer);
    return gone;
}
