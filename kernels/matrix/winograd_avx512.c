/* Winograd's transforms for AVX-512. */
#if defined(__x86_64__)
#define VB_LANES 512
#define VB_WINOGRAD_TABLE vb_winograd_kernel_avx512
#include "kernels/matrix/winograd_lanes.h"
#else
typedef int vb_no_avx512_here;
#endif
