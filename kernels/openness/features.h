/* What the geometry of the feature space says of a model: similarities, margins, alignment, uniformity, modality gap.
 *
 * With f the unit vector of an image of class y and g_c that of class c's text, s(x, c) as in kernels/openness/similarity.h:
 *   positive similarities s(x, y), negative ones s(x, c) for every other class c of the union, y's equivalents
 *   (kernels/openness/label_space.h) aside; margin m(x) = s(x, y) - max of s(x, c);
 *   alignment = mean |f - g_y|^2; uniformity = log mean over pairs i != j of exp(-2 |g_i - g_j|^2) (Wang and Isola 2020, t = 2);
 *   modality gap = |mean f - mean g| (Liang et al. 2022).
 * Similarities are fp64 (kernels/matrix/dots.h); sums are exact (kernels/exact/fixed_sum.h) over terms that depend on one image,
 * or on one pair of blocks, alone: the figures are the same for any threads, ranks and instruction set. Source: Ren et al. 2022,
 * section 5. */
#ifndef VB_FEATURES_H
#define VB_FEATURES_H

#include <stdbool.h>

#include "kernels/base/error.h"
#include "kernels/exact/fixed_sum.h"
#include "kernels/exact/score.h"
#include "kernels/openness/label_space.h"

/* Bins of equal width over [-1, 1]. Bin i begins at (i - 100) / 100. What lies beyond counts in the outermost, and is counted:
 * margins (of cosines they run from -2 to 2), and similarities by VB_DOT. */
enum { VB_HISTOGRAM_BINS = 200 };

/* The bin of a value; 0 for NaN. */
int vb_features_histogram_bin(double value);

/* Sums over images. All int64, so that the whole adds up over threads and ranks as VB_SIMILARITY_COUNTERS counters. */
typedef struct vb_similarity_sums {
    vb_fixed_sum positive, negative, margin, alignment;
    int64_t images, negatives, margins; /* terms of the sums; an image has a margin when there is a negative */
    int64_t positive_bins[VB_HISTOGRAM_BINS], negative_bins[VB_HISTOGRAM_BINS], margin_bins[VB_HISTOGRAM_BINS];
    int64_t positive_beyond, negative_beyond, margin_beyond; /* of those, how many lie outside of [-1, 1] by more than rounding */
} vb_similarity_sums;

enum { VB_SIMILARITY_COUNTERS = sizeof(vb_similarity_sums) / sizeof(int64_t) };

/* Rows prepared for products with others: packed, with the inverses of their norms. */
typedef struct vb_feature_block {
    int64_t count;
    int dim;
    float *packed;   /* see vb_dots_pack */
    double *inverse; /* 1 / norm of each row */
    /* for vb_features_similarity_add, set by the caller: */
    vb_similarity similarity;
    const int *equivalence;   /* of a label space; borrowed, NULL without */
    const vb_class_set *sets; /* of each image of the call: classes that are right for it, and no negatives; borrowed, or NULL */
} vb_feature_block;

/* Copies `count` rows (row-major, none zero, all finite: VB_EDATA names the row). Free with vb_features_block_free, also after a
 * failure. */
int vb_features_block_new(vb_feature_block *block, const float *rows, int64_t count, int dim, vb_error *err);
/* Leaves *block empty. */
void vb_features_block_free(vb_feature_block *block);

/* inverse[i] = 1 / |row i|; VB_EDATA names a zero row or one that is not finite. */
int vb_features_inverse_norms(const float *rows, int64_t count, int dim, double *inverse, vb_error *err);

/* Adds `count` images (row-major, labels[i] < texts->count) to *sums, and writes margins[i] (NaN without a negative). Work
 * space: 64 rows of all classes a thread. */
int vb_features_similarity_add(vb_similarity_sums *sums, const vb_feature_block *texts, const float *images, int64_t count,
                               const int *labels, double *margins, int threads, vb_error *err);

/* A sum of Gaussian kernels over pairs. All int64, so that it adds up over threads and ranks as counters. */
typedef struct vb_gauss_sum {
    vb_fixed_sum sum;
    int64_t pairs; /* terms */
} vb_gauss_sum;

/* Adds exp(-2 |f_i - g_j|^2) over the rows of a (`count` x dim, with their inverse norms) and those of block b: over all pairs,
 * or for `triangle`, where a and b are the same rows, over i < j. */
int vb_features_gauss_add(vb_gauss_sum *total, const float *a, const double *a_inverse, int64_t count, const vb_feature_block *b,
                          bool triangle, int threads, vb_error *err);

/* Adds each row's unit vector, element by element, to dim sums. */
void vb_features_centroid_add(vb_fixed_sum *sums, const float *rows, const double *inverse, int64_t count, int dim);

/* The share that two histograms have in common: the sum over bins of the smaller fraction, 0 to 1; NaN when one is empty. */
double vb_features_overlap(const int64_t *a, const int64_t *b, int bins);

/* Sorts n values ascending in place; NaN must not occur. */
void vb_features_sort_doubles(double *values, int64_t n);

/* The q-quantile (0 <= q <= 1) of n >= 1 sorted values, interpolated linearly between neighbours as numpy.quantile does. */
double vb_features_quantile(const double *sorted, int64_t n, double q);

/* The middle of n >= 1 sorted values, or the mean of the two middle ones. */
double vb_features_median(const double *sorted, int64_t n);

/* exp of the entropy of the values as shares of their sum (Roy and Vetterli 2007); NaN when the sum is not positive. */
double vb_features_effective_rank(const double *singular_values, int64_t n);

#endif
