/* Depthwise convolution for AVX2. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_DEPTHWISE_TABLE vb_depthwise_kernel_avx2
#include "kernels/matrix/depthwise_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
