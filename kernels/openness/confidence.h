/* What a model's scores are worth: how surely they tell images whose class is among the names from those whose class is absent,
 * and whether its confidence is its accuracy.
 *
 * Of an image's similarities s_c with a set of names: the largest one, and the largest softmax value,
 *   p = max over c of exp(L s_c) / sum over d of exp(L s_d) = 1 / sum over d of exp(L (s_d - max)),   L the logit scale.
 * Sets without common names join without their similarities. All is computed in one fixed order, the same at every instruction
 * set level. Sources: Hendrycks and Gimpel 2017 (softmax score, AUROC), Liang et al. 2018 (FPR at 95 % TPR), Ming et al. 2022
 * (maximum concept matching), Guo et al. 2017 (expected calibration error). */
#ifndef VB_CONFIDENCE_H
#define VB_CONFIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/exact/fixed_sum.h"

/* Of a set of names: its largest similarity (none: -infinity), and the sum of exp(L (s - top)), from 1 on (none: 0). */
typedef struct vb_mass {
    double top, sum;
} vb_mass;

/* The mass of n values; scale > 0, or NaN: then only `top` means anything. */
vb_mass vb_confidence_mass(const double *values, int64_t n, double scale);
/* Of both sets together. */
vb_mass vb_confidence_join(vb_mass a, vb_mass b, double scale);
/* The largest softmax value: in (0, 1], NaN without names or scale. */
double vb_confidence_of(vb_mass mass);

/* Two groups of scores; sorts both. */
typedef struct vb_separation {
    double auroc; /* chance that one of `present` is above one of `absent`, ties counted half; NaN when one is empty */
    double fpr95; /* share of `absent` that reach the highest threshold which at least 95 % of `present` reach */
} vb_separation;
vb_separation vb_confidence_separate(double *present, int64_t n, double *absent, int64_t m);

/* Predictions by confidence, in bins of equal width: bin b holds those in (b / BINS, (b + 1) / BINS]. All int64, so that it adds
 * up as counters. Begin with zeros. */
enum { VB_CALIBRATION_BINS = 15 };
typedef struct vb_calibration {
    int64_t count[VB_CALIBRATION_BINS], right[VB_CALIBRATION_BINS];
    vb_fixed_sum confidence[VB_CALIBRATION_BINS];
} vb_calibration;

void vb_confidence_add(vb_calibration *calibration, double confidence, bool right);

/* NaN without predictions. ece: the sum over bins of |right - sum of confidences|, over all predictions. */
typedef struct vb_calibration_figures {
    int64_t count;
    double ece, confidence, accuracy;
} vb_calibration_figures;
vb_calibration_figures vb_confidence_figures(const vb_calibration *calibration);

#endif
