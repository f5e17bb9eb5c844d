/* What depthwise convolution has once for each instruction set level. Private to kernels/matrix/. */
#ifndef VB_DEPTHWISE_KERNEL_H
#define VB_DEPTHWISE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

enum { VB_DEPTHWISE_BLOCK = 16 }; /* channels that are computed together */

typedef struct vb_depthwise_kernel {
    /* A row of the result before the epilogue. sums (count x BLOCK): pixel x of channel i is the chain over rows r and columns s
     * of the filter of rows[r][(x * stride + s) * BLOCK + i] times weight[(r * kernel + s) * BLOCK + i]. */
    void (*row)(int count, int kernel, int stride, const float *const *rows, const float *weight, float *sums);
} vb_depthwise_kernel;

/* For the level in use. */
const vb_depthwise_kernel *vb_depthwise_kernel_get(void);

extern const vb_depthwise_kernel vb_depthwise_kernel_scalar;
#if defined(__x86_64__)
extern const vb_depthwise_kernel vb_depthwise_kernel_avx2, vb_depthwise_kernel_avx512;
#endif

#endif
