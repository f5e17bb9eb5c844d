/* Openness of a model: accuracy while the vocabulary grows, over all orders of growth at once, from integer counts.
 *
 * N vocabularies, M = N - 1. An image of class y belongs to every vocabulary t that holds y; it is right within its own
 * vocabulary when t does not beat it (kernels/openness/similarity.h), and b of the other vocabularies beat it. In a random order
 * of arrival it is still right after i foreign vocabularies with probability C(M-b, i) / C(M, i), whence for a vocabulary t, as
 * means over its images:
 *   Acc-C = own,   Acc-E = own / (b + 1),   Acc-S = own (M - b) / (M (b + 1)),   curve[i] = own C(M-b, i) / C(M, i).
 * An image with right classes in several vocabularies may also be right from the arrival of another one until that of one of b:
 *   Acc-E: 1 / ((b + 1) (b + 2)),   Acc-S: N / (M (b + 1) (b + 2)),   curve[i]: C(M-1-b, i-1) / C(M, i).
 * Source: Ren et al., Delving into the Openness of CLIP (2022), and the closed forms of the averages it samples. */
#ifndef VB_OPENNESS_H
#define VB_OPENNESS_H

#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/openness/tally.h"

/* The figures that have three standard errors each (kernels/openness/figure_errors.h); the first three a vocabulary's, too. */
enum { VB_ACC_C, VB_ACC_E, VB_ACC_S, VB_TOP1_ALL, VB_FIGURES };

/* One vocabulary. Standard errors: sample standard deviation (n - 1) of the images' scores over sqrt(n); NaN below two images. */
typedef struct vb_vocabulary_openness {
    int64_t images;
    double acc_c, acc_c_se;
    double acc_e, acc_e_se;
    double acc_s, acc_s_se;        /* NaN when N is 1 */
    double sampled_e, sampled_s;   /* the sampled protocol's Acc-E and Acc-S; NaN without it, sampled_s also when N is 1 */
    const int64_t *harm_histogram; /* N entries: own-right images that b = 0..M other vocabularies beat */
    const int64_t *theft;          /* N entries: own-right images that vocabulary u beats; 0 for itself */
    const double *curve;           /* N entries: accuracy after i = 0..M foreign vocabularies */
    /* With sets of right classes, N entries each, else NULL: images that a right class of another vocabulary keeps right, to be
     * added to harm_histogram (they stand at another b there: entries may be below 0), and those that it rescues. */
    const int64_t *kept, *rescued;
} vb_vocabulary_openness;

/* One class, seen from the first vocabulary that holds it; NaN without images, acc_s also when N is 1. */
typedef struct vb_class_openness {
    int64_t images, right;
    double acc_c, acc_e, acc_s;
} vb_class_openness;

typedef struct vb_openness_result {
    int vocabularies, classes;
    int64_t images;         /* distinct images counted */
    int64_t shared_images;  /* with sets of right classes: those of several vocabularies; else 0 */
    double acc_c, acc_c_se; /* means over vocabularies; standard errors: root of the sum of the vocabularies' squares, over N */
    double acc_e, acc_e_se;
    double acc_s, acc_s_se;
    double top1_all, top1_all_se; /* images that no vocabulary beats, of all images */
    /* The paper's Acc-E: mean over i = 1..N of the mean over sets of i vocabularies of the accuracy over the union of their
     * images. "closed form": equal image counts and no shared class, where it equals acc_e; "subsets": over all 2^N - 1 sets;
     * "sampled": over union_permutations random orders. */
    double acc_e_union;
    const char *union_method;
    double acc_e_union_se;  /* of the sampling of orders: 0 for the exact methods */
    int union_permutations; /* 0 for the exact methods */
    /* Means over vocabularies of the sampled protocol's figures; its Acc-C is acc_c. NaN without it. */
    double sampled_e, sampled_s;
    vb_vocabulary_openness *vocabulary;
    vb_class_openness *class;
    int64_t *counts; /* behind the vocabularies' integers */
    double *curves;
} vb_openness_result;

/* The figures of all images in the tally: on one rank, after the reduction. A vocabulary without images is VB_EDATA and named by
 * index. A function of the counts alone: equal counts give equal bytes. On failure *out is empty. */
int vb_openness(vb_openness_result *out, const vb_tally *tally, vb_error *err);
/* Acc-E as vb_openness gives it, of the images of all `count` tallies (of one label space) but number `without`, as a mean over
 * the vocabularies that have images there; 0 when none has. VB_EMEMORY. */
int vb_openness_acc_e_without(const vb_tally *const *tallies, int count, int without, double *acc_e, vb_error *err);

/* Leaves *result empty. */
void vb_openness_free(vb_openness_result *result);

#endif
