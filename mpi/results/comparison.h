/* Two results on the same images: which images are the same, and paired statistics of the figures. Local. */
#ifndef VB_COMPARISON_H
#define VB_COMPARISON_H

#include "kernels/openness/clustered.h"
#include "kernels/openness/openness.h"
#include "kernels/openness/spread.h"
#include "mpi/results/record_set.h"

/* Image i of the pairing is record a[i] of the one and b[i] of the other set. */
typedef struct vb_pairing {
    int64_t count, only_a, only_b; /* images in both, and in one only */
    int64_t *a, *b;
    bool in_order; /* the sets list the same images in the same order */
} vb_pairing;

/* By place, when both sets list the same names and classes in the same order; otherwise by name, in the order of A. VB_EMISMATCH:
 * no image in both, a name that occurs twice in a set (only where it has to be looked up), an image of another class in B. */
int vb_comparison_pairing_new(vb_pairing *pairing, const vb_record_set *a, const vb_record_set *b, vb_error *err);
void vb_comparison_pairing_free(vb_pairing *pairing);

/* A figure in both results. error: of the difference, by images, classes and vocabularies (kernels/openness/difference_errors.h).
 * p: of McNemar's exact test for accuracies of images (figures of one vocabulary, and Acc-C and the accuracy among all classes),
 * of sign flips for Acc-E, Acc-S, and means over vocabularies. only_a, only_b: images right in one only; -1 where the scores are
 * no rights and wrongs. */
typedef struct vb_compared {
    vb_paired_mean mean;
    double p;
    int64_t only_a, only_b;
    vb_flip_test flips;    /* trials 0: McNemar's test */
    vb_flip_test by_class; /* sign flips of whole classes; p is NaN where the figure is none */
    double holm[2];        /* of vocabularies: p and by_class.p by Holm over the vocabularies; NaN elsewhere */
    double error[VB_SPREAD_KINDS];
} vb_compared;

typedef struct vb_compared_vocabulary {
    const char *name;
    int in_a, in_b; /* its places in the two sets */
    int64_t images;
    vb_compared figure[VB_FIGURES];
} vb_compared_vocabulary;

typedef struct vb_comparison {
    vb_compared figure[VB_FIGURES]; /* means over the vocabularies below; accuracy among all classes: over images */
    vb_compared own;                /* over images, each in the first vocabulary that holds its class */
    int vocabularies;               /* of the same name in both, with images in both */
    vb_compared_vocabulary *vocabulary;
} vb_comparison;

/* `trials` sign vectors are drawn with `seed` for each test with more than VB_FLIPS_EXACT moving differences. VB_EMISMATCH: no
 * vocabulary with images in both. */
int vb_comparison_new(vb_comparison *comparison, const vb_record_set *a, const vb_record_set *b, const vb_pairing *pairing,
                      int64_t trials, uint32_t seed, vb_error *err);
void vb_comparison_free(vb_comparison *comparison);

#endif
