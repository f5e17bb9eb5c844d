/* Inner products of 8-bit codes for AVX2. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_CODED_KERNEL vb_coded_kernel_avx2
#include "kernels/search/coded_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
