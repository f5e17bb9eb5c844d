/* Exact inner products of fp32 vectors and exact comparison of cosines: the last word where floating point cannot decide.
 *
 * A product of two finite floats is an integer multiple of 2^-298 below 2^256, so that a sum of up to 2^16 of them is an integer
 * of at most 571 bits in that unit. No rounding happens anywhere here. Thread-safe. */
#ifndef VB_EXACT_H
#define VB_EXACT_H

#include <stdint.h>

enum {
    VB_EXACT_TERMS = 65536, /* most products in one sum */
    VB_EXACT_DIGITS = 18    /* of 32 bits */
};

/* sign * sum of digit[i] * 2^(32 i - 298); sign is -1, 0 or 1. */
typedef struct vb_exact {
    int sign;
    uint32_t digit[VB_EXACT_DIGITS];
} vb_exact;

/* The sum of a[k] * b[k], k = 0..n-1. n <= VB_EXACT_TERMS; all elements finite. */
void vb_exact_dot(vb_exact *sum, const float *a, const float *b, int n);

/* The sum of n <= VB_EXACT_TERMS doubles, each a multiple of 2^-298 and below 2^272. */
void vb_exact_sum(vb_exact *sum, const double *terms, int n);

/* The nearest double, the even one of two equally near. */
double vb_exact_round(const vb_exact *a);

/* -1, 0 or 1 as a is below, equal to or above b. */
int vb_exact_compare(const vb_exact *a, const vb_exact *b);

/* The same for a / sqrt(a_square) against b / sqrt(b_square); both squares above zero. */
int vb_exact_compare_ratio(const vb_exact *a, const vb_exact *a_square, const vb_exact *b, const vb_exact *b_square);

#endif
