/* The three standard errors of the differences between two models on the same images (kernels/openness/spread.h).
 *
 * The difference of an image's two scores is a score: its mean over the images of a vocabulary has errors by images and classes
 * as any figure has. A vocabulary is deleted from both models at once; what else either has been compared with stays. */
#ifndef VB_DIFFERENCE_ERRORS_H
#define VB_DIFFERENCE_ERRORS_H

#include "kernels/openness/judged.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/spread.h"

/* The same images of two models, A and B, which may have them in other orders and label spaces. */
typedef struct vb_judged_pairs {
    vb_judged side[2];
    const int64_t *image[2]; /* of each pair its number in A and in B */
    int64_t count;
    int vocabularies;    /* of both: n of them, each with an image of both */
    const int *place[2]; /* their numbers in A's and in B's label space */
} vb_judged_pairs;

/* Errors of B - A, by kind. NaN where there is nothing to compare. */
typedef struct vb_difference_errors {
    double figure[VB_FIGURES][VB_SPREAD_KINDS]; /* means over the vocabularies; among all classes: over images */
    double own[VB_SPREAD_KINDS]; /* over images, each in the first vocabulary that holds its class; no vocabularies */
    double (*vocabulary)[VB_FIGURES][VB_SPREAD_KINDS]; /* among all classes: no vocabularies */
} vb_difference_errors;

/* VB_EMEMORY. Free also after a failure. */
int vb_difference_errors_new(vb_difference_errors *errors, const vb_judged_pairs *pairs, vb_error *err);
void vb_difference_errors_free(vb_difference_errors *errors);

#endif
