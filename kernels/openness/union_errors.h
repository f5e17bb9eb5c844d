/* The three standard errors of the accuracy over the union of images, averaged over all sets of vocabularies.
 *
 * The figure is linear in the images once their numbers are fixed. Over sets S of vocabularies, |S| = i, with
 * w(S) = 1 / (N C(N, i)) / (images of S), an image that is in S when S meets H and right when S misses B has the score
 *   z = (sum of w over the S that meet H and miss B) / (sum of w over the S that meet H),
 * and the figure is the mean over the images of H, of that denominator's weight, over all H: vb_spread_of_mean with weights.
 * docs/protocol.md derives it. */
#ifndef VB_UNION_ERRORS_H
#define VB_UNION_ERRORS_H

#include "kernels/openness/spread.h"
#include "kernels/openness/tally.h"

/* For 1 to VB_SUBSETS_MAX vocabularies; value: the figure. Without vb_tally_harm_sets, which must be ended, those of images and
 * classes are NaN; of one vocabulary all are. VB_EMEMORY. */
int vb_union_errors(vb_spread *out, const vb_tally *tally, double value, vb_error *err);

#endif
