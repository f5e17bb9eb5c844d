/* Copies of weights and shards on a disk of every machine, made before they are read, removed at the end (option `scratch`).
 *
 * The first rank of a machine copies, for all of its ranks: weights first, then shards in the experiment's order, as far as there
 * is room. Every copy is read back and held against what was read of the original. What cannot be copied is read where it lies,
 * and a line on stderr says what and why: staging never fails a run. Folders SCRATCH/vocabench-UID-XXXXXX that killed runs have
 * left are removed by the next one. */
#ifndef VB_STAGING_H
#define VB_STAGING_H

#include "mpi/encode/dataset_state.h"
#include "mpi/experiment/experiment.h"

typedef struct vb_staging {
    char *folder;   /* of this machine's copies; NULL: there are none */
    int lock;       /* of the rank that made it: its descriptor, which tells others that the folder is in use; -1 elsewhere */
    int64_t copies; /* numbered files in it */
} vb_staging;

/* Does nothing where the experiment has no scratch. Collective; end it on every rank also after a failure (a stop, memory,
 * MPI). */
int vb_staging_begin(vb_staging *staging, vb_context *context, const vb_experiment *experiment, const vb_dataset_state *datasets,
                     vb_error *err);
/* Local; nothing staged may be read after it. */
void vb_staging_end(vb_staging *staging);

#endif
