/* The row-wise layers for AVX-512. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_LAYERS_KERNEL vb_layers_kernel_avx512
#include "kernels/matrix/layers_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
