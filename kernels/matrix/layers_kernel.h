/* Row-wise layers and the matrix product's epilogue once for each instruction set level, on one row or tile: see layers.h.
 * Private to kernels/matrix/. */
#ifndef VB_LAYERS_KERNEL_H
#define VB_LAYERS_KERNEL_H

#include "kernels/matrix/gemm.h"

typedef struct vb_layers_kernel {
    /* c (m x n, ldc apart) = epilogue of the sums (ld_sums apart), whose upper left corner is at (i, j) of the whole C. */
    void (*epilogue)(int m, int n, const float *sums, int ld_sums, const vb_epilogue *epilogue, int64_t i, int64_t j, float *c,
                     int64_t ldc);
    void (*norm)(int64_t width, const float *x, const float *weight, const float *bias, float epsilon, const float *residual,
                 float *out);
    void (*activate)(int64_t count, float *x, vb_activation activation);
    void (*exp)(int64_t count, float *x);
    void (*softmax)(int64_t width, float scale, float *x);
    void (*rotate)(int heads, int head_dim, const float *straight, const float *crossed, float *x);
} vb_layers_kernel;

/* For the level in use. */
const vb_layers_kernel *vb_layers_kernel_get(void);

extern const vb_layers_kernel vb_layers_kernel_scalar;
#if defined(__x86_64__)
extern const vb_layers_kernel vb_layers_kernel_avx2, vb_layers_kernel_avx512;
#endif

#endif
