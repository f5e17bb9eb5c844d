/* The product in three products of bf16 by AVX-512's fp32 multiply-adds. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_BF16X3_KERNEL vb_bf16x3_kernel_avx512
#define VB_BF16X3_FP32 vb_gemm_kernel_avx512
#define VB_BF16X3_WORD "avx512"
#include "kernels/matrix/bf16x3_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
