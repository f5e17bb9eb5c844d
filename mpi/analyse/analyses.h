/* Why a model is open or not: the analyses of a (model, dataset) pair, requested by `analyses: [margin, similarity, ...]`. */
#ifndef VB_ANALYSES_H
#define VB_ANALYSES_H

#include "mpi/analyse/analysis.h"
#include "mpi/experiment/analyses_spec.h"

/* The row of analysis a of the list (mpi/experiment/analyses_list.h). */
const vb_analysis *vb_analyses_row(int a);

/* Whether the experiment's analyses can be made of a pair: the error of the first that cannot names it. Local. */
int vb_analyses_check(const vb_analysis_subject *subject, vb_error *err);

/* What the pair's texts are: as encoded; the blend that stands for REPE beside them; another one. */
typedef enum vb_analyses_texts { VB_TEXTS_PLAIN, VB_TEXTS_STATED, VB_TEXTS_OTHER } vb_analyses_texts;

/* Adds `analyses`, those of the set (mpi/experiment/analyses_spec.h), to the pair's result (rank 0; NULL elsewhere); of blends
 * less what depends on the images alone, and of other ones less what is computed for rows that stand beside each other only.
 * docs/analyses.md describes it. Embeddings are read unit by unit again. Collective. */
int vb_analyses(vb_context *context, const vb_pair *pair, uint32_t set, vb_analyses_texts texts, json_t *result, vb_error *err);

/* The bytes that the largest analysis of the set takes on rank 0 beside the class texts, at most (they come one after the other),
 * and the floating-point operations of all of them. Local. */
int64_t vb_analyses_bytes(uint32_t set, const vb_pair_shape *shape);
double vb_analyses_operations(uint32_t set, const vb_pair_shape *shape);

#endif
