/* What the product in three products of bf16 has once for each instruction set. Private to kernels/matrix/. */
#ifndef VB_BF16X3_KERNEL_H
#define VB_BF16X3_KERNEL_H

#include "kernels/matrix/bf16x3.h"
#include "kernels/matrix/gemm_kernel.h"

/* Values of k in a block of the chain, and of a block in dwords, each of which holds two of them. */
enum { VB_BF16X3_BLOCK = 32, VB_BF16X3_DWORDS = 16 };

struct vb_bf16x3_kernel {
    const char *name;
    bool native;                /* the processor multiplies bf16; else fp32 multiply-adds stand in for that */
    int rows;                   /* of a tile; it has the columns of `fp32` */
    const vb_gemm_kernel *fp32; /* packs B as floats, which are cut afterwards */

    /* out (blocks x {hi, lo} x rows x 16) from m rows of floats, VB_GEMM_DEPTH apart; zeros in the rows beyond m. */
    void (*pack_a)(const float *x, int m, int64_t blocks, uint32_t *out);
    /* out (blocks x {hi, lo} x 16 x cols) from blocks * 32 x cols floats. */
    void (*pack_b)(const float *x, int64_t blocks, uint32_t *out);
    /* tile (rows x cols, dense): its chains go on over the blocks; `first`: they begin at 0. */
    void (*multiply)(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile, bool first);
};

/* The `index`-th kernel that this processor and the level in use allow, the best first; NULL beyond the last, which is the scalar
 * one. */
const vb_bf16x3_kernel *vb_bf16x3_kernel_at(int index);

extern const vb_bf16x3_kernel vb_bf16x3_kernel_scalar;
#if defined(__x86_64__)
extern const vb_bf16x3_kernel vb_bf16x3_kernel_avx2, vb_bf16x3_kernel_avx512, vb_bf16x3_kernel_bf16, vb_bf16x3_kernel_amx;
#endif

#endif
