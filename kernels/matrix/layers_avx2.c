/* The row-wise layers for AVX2. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_LAYERS_KERNEL vb_layers_kernel_avx2
#include "kernels/matrix/layers_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
