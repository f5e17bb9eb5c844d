/* Attention for AVX-512: fourteen queries and 32 keys, or columns of the values, at a time. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_ATTENTION_KERNEL vb_attention_kernel_avx512
#include "kernels/matrix/attention_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
