/* The three standard errors of the curve, accuracy after i foreign vocabularies, at each of its points (docs/protocol.md). */
#ifndef VB_CURVE_ERRORS_H
#define VB_CURVE_ERRORS_H

#include "kernels/openness/openness.h"
#include "kernels/openness/spread.h"

/* Of the mean curve, then of each vocabulary's: N points of VB_SPREAD_KINDS. NaN where a kind has nothing to compare, which
 * with a vocabulary less is the last point; and of `images` where an image of the vocabulary has right classes in several. *out
 * is NULL where the tally has not
 * kept them (curve_errors). Free with vb_free. VB_EMEMORY. */
int vb_curve_errors(double **out, const vb_tally *tally, const vb_openness_result *result, vb_error *err);

#endif
