/* Where a result comes from: version, revision, processor level, ranks, threads, hosts, Slurm job; and where our configs lie. */
#ifndef VB_PROVENANCE_H
#define VB_PROVENANCE_H

#include <jansson.h>

#include "mpi/ranks/comm.h"

const char *vb_provenance_version(void);      /* "0.1.0" */
const char *vb_provenance_release_date(void); /* "November 23, 2026": of the version */
const char *vb_provenance_revision(void);     /* git revision the binary was built from, "+" when the tree was dirty */

/* The folder with experiments/, vocabularies/ and prompts/: $VOCABENCH_CONFIGS, else ../configs or ../share/vocabench/configs
 * beside the binary, else the installation's. A static string, found on the first call; not thread-safe. */
const char *vb_install_configs_folder(void);
/* The folder of the batch script templates, found in the same way: $VOCABENCH_SLURM, ../slurm, ... */
const char *vb_install_slurm_folder(void);

/* Threads a rank should use when the user does not say: OMP_NUM_THREADS, else the cores it is bound to shared by the ranks bound
 * to them. Local. */
int vb_threads_default(const vb_comm *comm);

/* One line on stderr (rank 0) when a machine's ranks have more threads than cores, or a BLAS is told to start threads of its own.
 * Collective. */
int vb_threads_warn(vb_comm *comm, int threads, vb_error *err);

/* Memory of this process. `resident` is the largest resident set so far. `share` is the same at its worst moment with pages that
 * several processes map counted in parts (the kernel's proportional set size): the sum over a machine counts each of them
 * once. */
typedef struct vb_memory_peak {
    int64_t resident, share; /* bytes */
} vb_memory_peak;

/* To be called while everything of a unit is still mapped, on all ranks that map the same before one of them unmaps it: takes the
 * peak since the last call. Local; what cannot be read (no /proc) stays 0. */
void vb_memory_peak_note(vb_memory_peak *peak);

/* The `run` block's facts of machine and clock, on rank 0 (NULL elsewhere): bytes sent and received are those counted so far.
 * Collective. */
int vb_provenance_run_facts(vb_comm *comm, int threads, double seconds, const vb_memory_peak *peak, json_t **facts,
                            vb_error *err);

#endif
