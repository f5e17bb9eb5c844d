/* The product in three products of bf16 by AVX2's fp32 multiply-adds. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_BF16X3_KERNEL vb_bf16x3_kernel_avx2
#define VB_BF16X3_FP32 vb_gemm_kernel_avx2
#define VB_BF16X3_WORD "avx2"
#include "kernels/matrix/bf16x3_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
