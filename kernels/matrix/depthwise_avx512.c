/* Depthwise convolution for AVX-512. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_DEPTHWISE_TABLE vb_depthwise_kernel_avx512
#include "kernels/matrix/depthwise_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
