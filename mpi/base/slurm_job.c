/* squeue's answers. */
#include "mpi/base/slurm_job.h"

#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/base/spawn.h"

void vb_slurm_job_state(const char *job, char *const *environment, char *word, size_t size) {
    const char *argv[] = {"squeue", "-h", "-j", job, "-o", "%T", NULL};
    char *answer;
    vb_error none;
    word[0] = 0;
    if (vb_spawn(argv, environment, &answer, &none)) return;
    snprintf(word, size, "%.*s", (int)strcspn(answer, "\n"), answer);
    vb_free(answer);
}

/* squeue fails alike for a job that it has forgotten and for a controller that does not answer: so all jobs are asked for. */
bool vb_slurm_job_is_gone(const char *job, char *const *environment) {
    const char *argv[] = {"squeue", "-h", "-t", "all", "-o", "%A %T", NULL};
    char *answer;
    vb_error none;
    if (vb_spawn(argv, environment, &answer, &none)) return false;
    bool runs = false;
    for (char *line = answer, *end; *line && !runs; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        size_t n = strcspn(line, " \n");
        if (n != strlen(job) || strncmp(line, job, n)) continue;
        const char *state = line + n + (line[n] == ' ');
        static const char *const ended[] = {"PENDING", "REQUEUED",  "REQUEUE_HOLD", "COMPLETED", "CANCELLED", "FAILED",
                                            "TIMEOUT", "NODE_FAIL", "PREEMPTED",    "BOOT_FAIL", "DEADLINE",  "OUT_OF_MEMORY"};
        runs = true;
        for (size_t i = 0; i < sizeof ended / sizeof *ended && runs; i++)
            runs = strncmp(state, ended[i], strlen(ended[i])) || state + strlen(ended[i]) != end;
    }
    vb_free(answer);
    return !runs;
}
