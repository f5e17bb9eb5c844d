/* The fp64 inner products for AVX2. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_DOTS_KERNEL vb_dots_kernel_avx2
#include "kernels/matrix/dots_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
