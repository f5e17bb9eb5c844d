/* What the stages of a pair (evaluation, analyses, adversarial) take of a rank's memory beside model and texts, before anything
 * runs. */
#ifndef VB_STAGE_MEMORY_H
#define VB_STAGE_MEMORY_H

#include "mpi/evaluate/pair_shape.h"
#include "mpi/experiment/experiment.h"

/* Bytes of the largest stage: they come one after the other. An upper estimate for rank 0, which has most. Local. */
int64_t vb_stage_memory(const vb_experiment *experiment, const vb_pair_shape *shape);

#endif
