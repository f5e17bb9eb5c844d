/* Singular spectra of a pair's image and text features. */
#ifndef VB_SPECTRUM_STAGE_H
#define VB_SPECTRUM_STAGE_H

#include "mpi/evaluate/evaluate.h"

/* *spectrum (rank 0; NULL elsewhere) gets {image: {singular_values, effective_rank, ...}, text: {...}}, `image` when asked for;
 * docs/analyses.md describes it. Every rank holds the dim x dim Gram matrix. Collective. */
int vb_spectrum_stage(vb_context *context, const vb_pair *pair, bool images, json_t **spectrum, vb_error *err);

#endif
