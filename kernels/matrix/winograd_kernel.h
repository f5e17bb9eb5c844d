/* What the convolution through Winograd's transforms has once for each instruction set level: the three transforms, many channels
 * side by side. Private to kernels/matrix/. */
#ifndef VB_WINOGRAD_KERNEL_H
#define VB_WINOGRAD_KERNEL_H

#include "kernels/matrix/gemm_kernel.h"
#include "kernels/matrix/winograd.h"

/* Channels of a block, and how many of the 36 points of a tile stand side by side in a row of packed A (gemm_kernel.h). */
enum { VB_WINOGRAD_BLOCK = 128, VB_WINOGRAD_BESIDE = VB_GEMM_DEPTH / VB_WINOGRAD_BLOCK };

typedef struct vb_winograd_kernel {
    /* Filters of `count` channels and `cols` (a multiple of 16) output channels. taps: count x 9 x cols. Point p of channel c
     * goes to u[p * step + c * cols], `cols` values. */
    void (*filter)(int count, int cols, const float *taps, float *u, int64_t step);
    /* A tile. from: the 36 pixels, `count` channels each. Point p goes to v[p / BESIDE * step + p % BESIDE * BLOCK], where there
     * is room for whole sixteens. */
    void (*input)(int count, const float *const from[VB_WINOGRAD_POINTS], float *v, int64_t step);
    /* A tile. m: point p at m[p * step], `cols` (a multiple of 16) values. Row r and column s of the result go to
     * y[(r * ld + s) * cols]. */
    void (*output)(int cols, const float *m, int64_t step, float *y, int64_t ld);
} vb_winograd_kernel;

/* For the level in use. */
const vb_winograd_kernel *vb_winograd_kernel_get(void);

extern const vb_winograd_kernel vb_winograd_kernel_scalar;
#if defined(__x86_64__)
extern const vb_winograd_kernel vb_winograd_kernel_avx2, vb_winograd_kernel_avx512;
#endif

#endif
