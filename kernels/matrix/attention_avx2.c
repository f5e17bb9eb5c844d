/* Attention for AVX2: six queries and sixteen keys, or columns of the values, at a time. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_ATTENTION_KERNEL vb_attention_kernel_avx2
#include "kernels/matrix/attention_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
