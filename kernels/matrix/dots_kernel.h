/* What the fp64 inner products and Gaussian sums have once for each instruction set level. Private to kernels/matrix/. */
#ifndef VB_DOTS_KERNEL_H
#define VB_DOTS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VB_DOTS_DEPTH = 256
}; /* values of k in a block: 8 rows of doubles and 24 columns of floats stay in the first-level cache */

typedef struct vb_dots_kernel {
    /* c (8 x 24, ldc apart) = the chains' continuation over `count` values of k; a: 8 rows VB_DOTS_DEPTH apart; b: count x 24. */
    void (*multiply)(int64_t count, const double *a, const float *b, double *c, int64_t ldc, bool first);
    /* See vb_dots_gauss_sum. */
    double (*gauss)(int64_t n, const double *dots, const double *inverse, double scale);
    /* See vb_dots_exponential_sum. */
    double (*exponentials)(int64_t n, const double *values, double top, double factor);
} vb_dots_kernel;

/* For the level in use. */
const vb_dots_kernel *vb_dots_kernel_get(void);

extern const vb_dots_kernel vb_dots_kernel_scalar;
#if defined(__x86_64__)
extern const vb_dots_kernel vb_dots_kernel_avx2, vb_dots_kernel_avx512;
#endif

#endif
