/* What the stages of a pair (evaluation, analyses, adversarial) take of a rank's memory beside model and texts, before anything
 * runs.
 */
#ifndef VB_STAGE_MEMORY_H
#define VB_STAGE_MEMORY_H

#include "mpi/experiment/experiment.h"

typedef struct vb_pair_shape {
    int64_t images, classes, vocabularies, dim;
    int64_t candidates; /* lines of the adversarial pool */
    int ranks, threads;
    bool encoded; /* by a model, rather than precomputed */
} vb_pair_shape;

/* Bytes of the class texts on a rank, and of the largest stage: they come one after the other. Upper estimates for rank 0, which
 * has most. Local. */
int64_t vb_stage_memory_texts(const vb_experiment *experiment, const vb_pair_shape *shape);
int64_t vb_stage_memory(const vb_experiment *experiment, const vb_pair_shape *shape);

#endif
