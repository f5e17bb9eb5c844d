/* Winograd's transforms for AVX2. */
#if defined(__x86_64__)
#define VB_LANES 256
#define VB_WINOGRAD_TABLE vb_winograd_kernel_avx2
#include "kernels/matrix/winograd_lanes.h"
#else
typedef int vb_no_avx2_here;
#endif
