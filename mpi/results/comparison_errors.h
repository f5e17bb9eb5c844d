/* The three standard errors of the differences between two results. Local. */
#ifndef VB_COMPARISON_ERRORS_H
#define VB_COMPARISON_ERRORS_H

#include "mpi/results/comparison.h"

/* Fills in the errors of all figures of a comparison of these sets. The differences are scores of the images of a vocabulary
 * (kernels/openness/spread.h); vocabularies are deleted from both sides, where their other vocabularies stay. */
int vb_comparison_errors(vb_comparison *comparison, const vb_record_set *a, const vb_record_set *b, const vb_pairing *pairing,
                         vb_error *err);

#endif
