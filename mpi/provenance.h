/* Where a result comes from: version, revision, processor level, ranks, threads, hosts, Slurm job; and where our configs lie. */
#ifndef VB_PROVENANCE_H
#define VB_PROVENANCE_H

#include <jansson.h>

#include "mpi/comm.h"

const char *vb_version(void);  /* "0.1.0" */
const char *vb_revision(void); /* git revision the binary was built from, "+" when the tree was dirty */

/* The folder with experiments/, vocabularies/ and prompts/: $VOCABENCH_CONFIGS, else ../configs or ../share/vocabench/configs beside
 * the binary, else the installation's. A static string, found on the first call; not thread-safe. */
const char *vb_configs_folder(void);
/* The folder of the batch script templates, found in the same way: $VOCABENCH_SLURM, ../slurm, ... */
const char *vb_slurm_folder(void);

/* Threads a rank should use when the user does not say: OMP_NUM_THREADS, else the cores shared by the ranks of this machine. Local. */
int vb_default_threads(const vb_comm *comm);

/* The `run` block's facts of machine and clock, on rank 0 (NULL elsewhere). Collective. */
int vb_run_facts(vb_comm *comm, int threads, double seconds, json_t **facts, vb_error *err);

/* Peak resident memory of this process in bytes. */
int64_t vb_peak_memory(void);

#endif
