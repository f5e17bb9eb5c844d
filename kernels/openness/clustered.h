/* Tests for differences that go together: classes as clusters, and several tests at once.
 *
 * Images of one class err together: where two models differ by class, a test that takes each image for a draw rejects far more
 * often than it says. Here a class with all its images is one draw.
 * Source: sign flips of cluster sums, Canay, Romano and Shaikh 2017 (Econometrica 85); Holm 1979 (Scand. J. Statist. 6). */
#ifndef VB_CLUSTERED_H
#define VB_CLUSTERED_H

#include "kernels/openness/paired.h"

/* How sign vectors are drawn where there are too many. */
typedef struct vb_flip_drawing {
    int64_t trials;
    uint32_t seed;
} vb_flip_drawing;

/* vb_paired_sign_flips of the sums of the differences by cluster, 0 .. clusters - 1, in the clusters' order: under the null
 * hypothesis each cluster's sum is as likely to have the other sign. A sum below 1e-12 of its magnitudes is 0. Its `moving`
 * counts clusters. VB_EDATA, VB_EMEMORY as there. */
int vb_clustered_sign_flips(vb_flip_test *out, const double *differences, const int *cluster, int64_t n, int clusters,
                            const vb_flip_drawing *drawing, vb_error *err);

/* Holm's p-values of a family of n: with p sorted, each times the number of those from it on, and no less than that of a smaller
 * one; at most 1. A NaN is not of the family, and stays. VB_EMEMORY. */
int vb_clustered_holm(double *adjusted, const double *p, int n, vb_error *err);

#endif
