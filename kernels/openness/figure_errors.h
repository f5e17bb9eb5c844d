/* The three standard errors of the figures of openness (kernels/openness/spread.h), in closed form from the counts. */
#ifndef VB_FIGURE_ERRORS_H
#define VB_FIGURE_ERRORS_H

#include "kernels/openness/curve_errors.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/spread.h"

/* Acc-C, Acc-E and Acc-S of a vocabulary. Its deletions are those of the other vocabularies, its rivals; they never move
 * Acc-C. */
typedef struct vb_vocabulary_errors {
    vb_spread figure[VB_TOP1_ALL];
    double wilson[2]; /* of Acc-C, a share of images */
} vb_vocabulary_errors;

/* Acc-C, Acc-E and Acc-S of a class, seen from the first vocabulary that holds it: of its images, and of that vocabulary's
 * rivals. NaN by classes, of which it is one, and without images. */
typedef struct vb_class_errors {
    double error[VB_TOP1_ALL][VB_SPREAD_KINDS];
    double wilson[2]; /* of Acc-C */
} vb_class_errors;

typedef struct vb_figure_errors {
    vb_spread figure[VB_FIGURES];
    double wilson[2]; /* of the accuracy among all classes */
    /* Of acc_e_union: those of Acc-E where the two are equal, of its own where it is over all sets of vocabularies (of
     * vocabularies alone, unless the tally has kept harmful sets: union_errors); none where it is sampled. */
    vb_spread over_union;
    vb_vocabulary_errors *vocabulary;
    vb_class_errors *class;
    double *curve; /* vb_curve_errors */
} vb_figure_errors;

/* `result` is what vb_openness made of the tally. A function of the counts alone. VB_EMEMORY; free with vb_figure_errors_free,
 * also after a failure. */
int vb_figure_errors_new(vb_figure_errors *errors, const vb_tally *tally, const vb_openness_result *result, vb_error *err);
void vb_figure_errors_free(vb_figure_errors *errors);

#endif
