/* Inner products of 8-bit codes for AVX-512 without VNNI. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_CODED_KERNEL vb_coded_kernel_avx512
#include "kernels/search/coded_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
