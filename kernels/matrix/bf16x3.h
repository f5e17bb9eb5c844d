/* The matrix product in three products of bf16: another chain than that of gemm.h, for processors that multiply bf16.
 *
 * A value x is cut into hi = bf16(x) and lo = bf16(x - hi), each rounded to nearest, ties to even; x = hi + lo but for 2^-16 of
 * it. lo * lo is left out. An element of C begins at 0 and goes through k in blocks of 32, the last one filled up with zeros. A
 * block adds three sums, of hi * hi, of hi * lo and of lo * hi (A's part first), one after the other. Each of the three is
 * s0 + s1: s0 is one chain of fused multiply-adds from 0 over the block's first 16 values of k upward, s1 the same over its
 * last 16. All in fp32, every result below 2^-126 replaced by a zero of its sign, and so is every hi and lo below it. Values
 * beyond 3.39e38 have no finite hi and give NaN.
 *
 * That is what AMX's TDPBF16PS computes when it is given k and k + 16 as a pair, what AVX512-BF16's VDPBF16PS gives when it is
 * given k + 1 and k as one, and what ordinary multiply-adds give that flush denormal numbers: so all levels give the same
 * bits. */
#ifndef VB_BF16X3_H
#define VB_BF16X3_H

#include "kernels/matrix/gemm.h"

typedef struct vb_bf16x3_kernel vb_bf16x3_kernel;

/* As vb_gemm, but for a.taps, which must be 0 or 1. */
int vb_bf16x3_gemm(const vb_bf16x3_kernel *kernel, int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc,
                   const vb_epilogue *epilogue, int threads, vb_error *err);

#endif
