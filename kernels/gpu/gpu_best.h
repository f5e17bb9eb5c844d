/* Many queries against rows on a device: products in fp32, and the rows of a piece that may be among the best of each query. What
 * is asked of them is decided elsewhere (kernels/search/scan_device.h). */
#ifndef VB_GPU_BEST_H
#define VB_GPU_BEST_H

#include "kernels/base/dtype.h"
#include "kernels/gpu/gpu_device.h"

enum { VB_GPU_BEST_PLACES = 2, VB_GPU_BEST_LEAST = 64 /* rows of a piece, below which it is no use */ };

/* Buffers of one thread. */
typedef struct vb_gpu_best vb_gpu_best;

typedef struct vb_gpu_best_shape {
    int64_t queries;
    int dim;
    int64_t wanted; /* rows a query that are looked for in a piece */
    int64_t rows;   /* of a piece, at most */
    int64_t room;   /* vb_gpu_best_room */
} vb_gpu_best_shape;

/* Rows of a piece for which the memory is enough that one of `share` processes may have, at most `most`; 0: not even for
 * VB_GPU_BEST_LEAST (or `most`, if that is less). */
int64_t vb_gpu_best_rows(const vb_gpu_device *device, int64_t queries, int dim, int64_t wanted, int64_t most, int share);

/* Places that are brought back a query. */
int64_t vb_gpu_best_room(int64_t wanted, int64_t rows);

/* queries: of shape->dim floats, `apart` from each other; copied. room is set. Close it in any case. VB_EMEMORY. */
int vb_gpu_best_open(vb_gpu_best **best, vb_gpu_device *device, const vb_gpu_best_shape *shape, const float *queries,
                     int64_t apart, vb_error *err);
void vb_gpu_best_close(vb_gpu_best *best);
const vb_gpu_best_shape *vb_gpu_best_shaped(const vb_gpu_best *best);

/* Copies rows, without gaps, to one of VB_GPU_BEST_PLACES, beside what is computed. */
int vb_gpu_best_upload(vb_gpu_best *best, int place, const void *rows, vb_dtype dtype, int64_t count, vb_error *err);

/* Begins with the products of all queries and the rows of a place: each ONE chain of fused multiply-adds (kernels/matrix/gemm.h);
 * and the sums of the rows' squares, in another order. */
int vb_gpu_best_multiply(vb_gpu_best *best, int place, vb_dtype dtype, int64_t count, vb_error *err);
/* Those sums; waits. */
int vb_gpu_best_squares(vb_gpu_best *best, float *squares, vb_error *err);

/* What was picked for each query; valid until the next pick. */
typedef struct vb_gpu_best_picked {
    const float *thresholds;
    const uint32_t *found;  /* rows that reach it */
    const uint32_t *places; /* shape->room a query: the first of them that were met, in no order */
} vb_gpu_best_picked;

/* The rows i of the latest product for which product * factors[i] is at least the query's threshold: floors[q], or where more
 * than shape->wanted rows reach that, less than slacks[q] below the score that so many reach, whichever is higher. factors: NaN
 * leaves a row out. Waits. */
int vb_gpu_best_pick(vb_gpu_best *best, const float *factors, const float *floors, const float *slacks,
                     vb_gpu_best_picked *picked, vb_error *err);

/* The products of a query, without factors, where there was no room for all. */
int vb_gpu_best_products(vb_gpu_best *best, int64_t query, float *products, vb_error *err);

#endif
