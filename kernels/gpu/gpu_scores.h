/* Rows against texts that stay on a device: products in fp32, each ONE chain of fused multiply-adds, so with the bits of vb_gemm
 * (kernels/matrix/gemm.h). */
#ifndef VB_GPU_SCORES_H
#define VB_GPU_SCORES_H

#include "kernels/gpu/gpu_device.h"

/* Used by one thread. */
typedef struct vb_gpu_scores vb_gpu_scores;

/* texts: count x dim, row-major; scale (one a text, NULL: none) multiplies its products. Both are copied. device: borrowed.
 * share: processes that use it. Close it in any case. VB_EMEMORY. */
int vb_gpu_scores_open(vb_gpu_scores **out, vb_gpu_device *device, const float *texts, const float *scale, int64_t count, int dim,
                       int share, vb_error *err);
void vb_gpu_scores_close(vb_gpu_scores *its);

/* out[i * count + c] = (x_i . t_c) * scale[c] for `rows` rows x. Goes in smaller pieces where memory runs out. */
int vb_gpu_scores_multiply(vb_gpu_scores *its, const float *x, int64_t rows, float *out, vb_error *err);

/* Seconds that a row takes the processor with `threads` threads, and the device: measured with rows of the texts that it was
 * opened with. Where the device fails, or has no memory, `there` is INFINITY. -1: no memory here. */
int vb_gpu_scores_measure(vb_gpu_scores *its, const float *texts, int threads, double *here, double *there, vb_error *err);

#endif
