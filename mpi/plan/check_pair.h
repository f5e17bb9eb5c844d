/* What `check` says of a model on a dataset: its prompts there, or the embeddings that it brings. */
#ifndef VB_CHECK_PAIR_H
#define VB_CHECK_PAIR_H

#include "mpi/encode/dataset_state.h"
#include "mpi/encode/model.h"
#include "mpi/plan/findings.h"

/* model: opened, or NULL of a precomputed one. Local (alone: a context of this rank). */
void vb_check_pair(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model,
                   const vb_dataset_state *data, vb_context *alone, vb_findings *findings);

#endif
