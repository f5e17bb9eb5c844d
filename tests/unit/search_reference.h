/* For tests of searches: the best rows by brute force in quadruple precision, random values, and every instruction set level. */
#ifndef VB_SEARCH_REFERENCE_H
#define VB_SEARCH_REFERENCE_H

#include <math.h>

#include "kernels/base/dtype.h"
#include "kernels/base/isa_internal.h"
#include "kernels/exact/score.h"
#include "tests/unit/vb_test.h"

typedef struct scored {
    __float128 score;
    int64_t id;
} scored;

static inline int by_score(const void *a, const void *b) {
    const scored *x = a, *y = b;
    return x->score != y->score ? (x->score > y->score ? -1 : 1) : x->id < y->id ? -1 : x->id > y->id;
}

static inline float value_at(const void *rows, vb_dtype dtype, int64_t i) {
    if (dtype == VB_F32) return ((const float *)rows)[i];
    uint16_t half = ((const uint16_t *)rows)[i];
    return dtype == VB_F16 ? vb_dtype_half_to_float(half) : vb_dtype_bf16_to_float(half);
}

/* The rows in the order of their scores, best first, in `list`, which has room for all; returns how many. 113 bits hold these
 * sums exactly, as elements are below 2 and multiples of 2^-40 or so. For cosines signed squares are compared. Rows that are not
 * finite, and zero rows for cosines, are left out. */
static inline int64_t brute(const void *rows, vb_dtype dtype, int64_t count, int dim, const float *q, vb_similarity similarity,
                            scored *list) {
    int64_t n = 0;
    for (int64_t r = 0; r < count; r++) {
        __float128 dot = 0, square = 0;
        int finite = 1;
        for (int k = 0; k < dim; k++) {
            float x = value_at(rows, dtype, r * dim + k);
            if (!isfinite(x)) finite = 0;
            else dot += (__float128)x * q[k], square += similarity == VB_COSINE ? (__float128)x * x : 0;
        }
        if (!finite || (similarity == VB_COSINE && square == 0)) continue;
        list[n++] = (scored){similarity == VB_COSINE ? dot * (dot < 0 ? -dot : dot) / square : dot, r};
    }
    qsort(list, (size_t)n, sizeof *list, by_score);
    return n;
}

/* A whole number of 2^-20 below 1 or so, of libc's generator. */
static inline float uniform(void) { return (float)(rand() % 2000001 - 1000000) * 0x1p-20f; }

/* Calls it at every level that this machine has. */
static inline void each_level(void (*run)(void)) {
    for (int level = VB_SCALAR; level < VB_ISA_LEVELS; level++) {
        vb_isa_limit((vb_isa)level);
        if (vb_isa_level() == (vb_isa)level) run();
    }
    vb_isa_limit(VB_VNNI);
}

#endif
