/* The fp64 inner products for AVX-512. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_DOTS_KERNEL vb_dots_kernel_avx512
#include "kernels/matrix/dots_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
