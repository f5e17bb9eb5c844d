/* What the search of rows has once for each instruction set level. Private to kernels/search/. */
#ifndef VB_SCAN_KERNEL_H
#define VB_SCAN_KERNEL_H

#include <stdbool.h>

#include "kernels/base/dtype.h"

enum {
    VB_SCAN_FEW = 4,  /* queries that one pass over the rows takes: their sums and a row's squares fit the registers */
    VB_SCAN_ROWS = 96 /* most rows of a block: a multiple of every unit that rows are taken in (6, 16, 32) */
};

/* What is wanted soon, so that it can be on its way to the cache; it may lie behind the end of what there is. */
typedef struct vb_scan_ahead {
    const char *at;
    int64_t bytes;
} vb_scan_ahead;

/* How rows are coded: a row x with the factor f becomes the codes of f stretch x - mean. Stretches are powers of two. */
typedef struct vb_scan_map {
    const float *stretch, *mean; /* width elements */
    int64_t width;               /* of codes: a multiple of 64, at most 1024 */
} vb_scan_map;

/* What the rows of a block come to at a glance. */
typedef struct vb_scan_glance {
    float largest;           /* square */
    float best[VB_SCAN_FEW]; /* score of each query; for cosines, each score times 1 / sqrt(square). A NaN counts for none */
} vb_scan_glance;

/* `width` is always a multiple of 16: rows are padded with zeros. */
typedef struct vb_scan_kernel {
    /* out (rows x queries, rows ldout apart) = the inner products of x (rows, width apart) and q (queries, width apart). */
    void (*products)(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out, int64_t ldout,
                     vb_scan_ahead ahead);

    /* For few queries, at most VB_SCAN_FEW, in one pass over rows as they are stored, dim = width, in two places with `count`
     * rows each: squares[side * VB_SCAN_ROWS + i] and out[(side * VB_SCAN_FEW + j) * VB_SCAN_ROWS + i], query j times row i.
     * NULL at levels that have none. */
    void (*few)(const void *const rows[2], vb_dtype dtype, int64_t count, const float *q, int64_t queries, int64_t width,
                float *squares, float *out);

    /* What `few` gave of one side. False when some square does not lie within least .. most, or there are too few rows to look at
     * them side by side. */
    bool (*glance)(const float *squares, const float *scores, int64_t count, int64_t queries, bool cosine, float least,
                   float most, vb_scan_glance *seen);

    /* Most queries for which `few` is faster than `products` on fp32 rows; on others it is for VB_SCAN_FEW. */
    int few_floats;

    /* Rows as they are stored, dim elements each without gaps, widened to fp32 and padded to `width`, in `out`; the sums of their
     * squares. VB_F32 of dim = width: out may be NULL. */
    void (*widen)(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out, float *squares);

    /* The places row * ld + i in `scores` (rows, ld apart) where scores[row * ld + i] >= thresholds[i], i < count, ascending, in
     * hits; returns how many. NaN never passes. */
    int (*screen)(const float *scores, int64_t ld, int64_t rows, const float *thresholds, int count, int *hits);

    /* Up to 16 rows (fp32, width apart) to a group of codes as kernels/search/coder.h describes it; missing rows are never
     * listed. factors: one a row; NULL: all are 1. widened[i] is added to the bound of row i. */
    void (*encode)(const float *rows, const float *factors, const float *widened, int count, int64_t width,
                   const vb_scan_map *map, uint8_t *group);

    /* sum + rest, sum being the nearest double: the inner product exactly, provided that no partial sum of magnitudes exceeds
     * 2^104 times the last bit of any product (scan_block.c checks). */
    void (*pair)(const float *x, const float *q, int64_t width, double *sum, double *rest);

    /* The least magnitude other than zero; infinity when there is none. */
    float (*least)(const float *x, int64_t width);
} vb_scan_kernel;

/* For the level in use. */
const vb_scan_kernel *vb_scan_kernel_get(void);

extern const vb_scan_kernel vb_scan_kernel_scalar;
#if defined(__x86_64__)
extern const vb_scan_kernel vb_scan_kernel_avx2, vb_scan_kernel_avx512;
#endif

#endif
