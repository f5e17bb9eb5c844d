/* Winograd's transforms in plain C. */
#define VB_LANES 1
#define VB_WINOGRAD_TABLE vb_winograd_kernel_scalar
#include "kernels/matrix/winograd_lanes.h"
