/* Sums over all subsets of up to 20 vocabularies: the paper's accuracy over the union of images, exact. */
#ifndef VB_SUBSETS_H
#define VB_SUBSETS_H

#include <stdint.h>

#include "kernels/base/error.h"

enum { VB_SUBSETS_MAX = 20 };

/* In place, for every set S of n elements (a bit mask): f[S] becomes the sum of f[X] over all X within S. n <= VB_SUBSETS_MAX. */
void vb_subsets_sums(int64_t *f, int n);

/* (1/n) sum over i = 1..n of the mean, over the sets S of i vocabularies, of right(S) / count(S), where, with C the complement of
 * S,
 *   right(S) = sum of right[X] over X within C,
 *   count(S) = count[0] + ... + count[2^n - 1] - sum of count[X] over X within C.
 * So count[X] holds the images whose vocabularies are X (those with none of them in C have one in S), and an image with
 * vocabularies H that a set B of vocabularies beats adds 1 to right[B] and takes 1 from right[B | H]: what is left over C is 1
 * exactly when B misses S and H does not. Both arrays have 2^n entries and are overwritten. VB_EDATA when a set S has no
 * images. */
int vb_subsets_mean(double *mean, int64_t *right, int64_t *count, int n, vb_error *err);

/* The same mean with one vocabulary fewer: means[u], of n - 1 vocabularies, over the sets without u. n >= 2. */
int vb_subsets_means_without(double *means, int64_t *right, int64_t *count, int n, vb_error *err);

#endif
