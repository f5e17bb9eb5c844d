/* Paired statistics: two models on the same images.
 *
 * Source: McNemar 1947 (Psychometrika 12) in its exact form, a sign test on the discordant pairs; Fisher's randomisation test on
 * paired differences (The Design of Experiments, 1935, section 21); binomial probabilities after Loader 2000, "Fast and accurate
 * computation of binomial probabilities". Equal inputs give equal bytes: every sum has one fixed order. */
#ifndef VB_PAIRED_H
#define VB_PAIRED_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Means over n pairs, the mean of the differences b - a, and its standard error: their sample standard deviation (n - 1) over the
 * square root of n. NaN: everything for n = 0, the error for n < 2. */
typedef struct vb_paired_mean {
    double a, b, difference, error;
} vb_paired_mean;

/* a, b: n values each, of the same images. */
void vb_paired_means(vb_paired_mean *out, const double *a, const double *b, int64_t n);

/* Exact two-sided p-value of McNemar's test: of n = only_a + only_b fair coins, the probability of a split at least as uneven.
 * Both counts >= 0; 1 when they are equal. Relative error below 1e-12 up to n = 2^53; 0 where the value is below the smallest
 * double. */
double vb_paired_mcnemar(int64_t only_a, int64_t only_b);

/* Sign-flip (randomisation) test: under the null hypothesis each difference is as likely to have the other sign. The p-value is
 * the share of sign vectors with |sum| >= |observed sum|, sums closer than 1e-12 of the sum of magnitudes counting as equal. */
enum { VB_FLIPS_EXACT = 20 };
typedef struct vb_flip_test {
    double p;
    bool exact;     /* all 2^moving sign vectors were counted, as up to VB_FLIPS_EXACT differences are */
    int64_t moving; /* differences that are not zero: only they take part */
    int64_t trials; /* sign vectors: 2^moving, or the drawn ones, whose p is (1 + hits) / (1 + trials) */
} vb_flip_test;

/* Draws sign vectors with NumPy's MT19937 seeded with `seed`: for each trial ceil(moving / 32) words of 32 bits; bit j % 32 of
 * word j / 32 flips the j-th difference that is not zero. VB_EDATA for a difference that is no number; VB_EMEMORY.
 * Thread-safe. */
int vb_paired_sign_flips(vb_flip_test *out, const double *differences, int64_t n, int64_t trials, uint32_t seed, vb_error *err);

#endif
