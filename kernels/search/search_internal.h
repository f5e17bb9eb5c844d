/* What a search is made of, and the limits within which its error bounds hold. Private to kernels/search/. */
#ifndef VB_SEARCH_INTERNAL_H
#define VB_SEARCH_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "kernels/search/search.h"

/* Bounds are computed in fp64; widening them a little covers that. */
#define VB_SEARCH_WIDEN (1 + 0x1p-10)
/* Within these norms no sum of products in fp32 overflows, and what sums of squares lose below the subnormal numbers is
 * negligible. */
#define VB_SEARCH_LARGEST 0x1p60
#define VB_SEARCH_SMALLEST 0x1p-40

struct vb_search {
    int64_t count, k, dim, width; /* width: dim, padded with zeros to whole registers */
    vb_similarity similarity;
    bool codes_pay;        /* kernels/search/scan_route.h */
    float *queries;        /* count x width */
    double *norm;          /* of each, rounded up */
    int *last_bit;         /* no element of the query has a bit below 2^last_bit */
    _Atomic double *floor; /* the k-th best row score is at least this */
    /* |fp32 product - x . q| <= |x| |q| radius + constant; for cosines |product / |x| - x . q / |x|| <= |q| radius + constant */
    double radius, constant;
};

/* `dim` rounded up to a multiple of 16, the floats of the widest register. */
static inline int64_t vb_search_width(int64_t dim) { return (dim + 15) / 16 * 16; }

/* No element of the row (`width` floats) has a bit below 2^this; 0 for a row of zeros. */
int vb_search_last_bit(const float *row, int64_t width);

#endif
