/* The fp64 inner products in plain C. */
#define VB_LANES 1
#define VB_DOTS_KERNEL vb_dots_kernel_scalar
#include "kernels/matrix/dots_lanes.h"
