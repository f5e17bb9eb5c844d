/* Inner products of fp32 rows in fp64, many at once, and sums of Gaussian kernels over them.
 *
 * Every product is ONE chain of additions from k = 0 upward, starting at 0. A product of two floats is exact in fp64, so that
 * fused and separate operations, blocking, threads and instruction sets all give the same bits; the error is below dim * 2^-53 *
 * |a| |b| (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3). Nothing is allocated, nothing fails; all are
 * thread-safe. */
#ifndef VB_DOTS_H
#define VB_DOTS_H

#include <stdint.h>

/* Outputs come in whole tiles of so many rows and columns. */
enum { VB_DOTS_ROWS = 8, VB_DOTS_COLS = 24 };

/* n, rounded up to whole tiles. */
static inline int64_t vb_dots_rows(int64_t n) { return (n + VB_DOTS_ROWS - 1) / VB_DOTS_ROWS * VB_DOTS_ROWS; }
static inline int64_t vb_dots_cols(int64_t n) { return (n + VB_DOTS_COLS - 1) / VB_DOTS_COLS * VB_DOTS_COLS; }

/* n rows of b (n x dim, row-major) in the order vb_dots reads them: out holds vb_dots_cols(n) * dim floats. */
void vb_dots_pack(int64_t n, const float *b, int dim, float *out);

/* c[i * ldc + j] = a_i . b_j for m rows of a (m x dim, row-major) and n packed rows of b. c holds vb_dots_rows(m) rows and ldc >=
 * vb_dots_cols(n) columns, whose surplus is overwritten with anything. */
void vb_dots(int64_t m, const float *a, int64_t n, const float *packed, int dim, double *c, int64_t ldc);

/* The sum over j = 0..n-1 of exp(-2 |f - g_j|^2) = exp(4 (dots[j] * inverse[j] * scale - 1)) for unit vectors f and g_j whose
 * cosines are the products in the brackets: eight interleaved sums, then halved; relative error of each term below 1e-15. */
double vb_dots_gauss_sum(int64_t n, const double *dots, const double *inverse, double scale);

/* The sum over j = 0..n-1 of exp(factor (values[j] - top)), each exponent at most 700; one below -700 counts as -700. In the same
 * order; relative error of each term below 1e-15 beside what the two roundings of its exponent make of it. */
double vb_dots_exponential_sum(int64_t n, const double *values, double top, double factor);

#endif
