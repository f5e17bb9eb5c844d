/* The micro kernel and the packing of B for AVX2: tiles of 6 x 16. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_GEMM_KERNEL vb_gemm_kernel_avx2
#include "kernels/matrix/gemm_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
