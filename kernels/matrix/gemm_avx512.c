/* The micro kernel and the packing of B for AVX-512: tiles of 14 x 32. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_GEMM_KERNEL vb_gemm_kernel_avx512
#include "kernels/matrix/gemm_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
