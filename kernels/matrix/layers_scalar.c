/* The row-wise layers in plain C. */
#define VB_LANES 1
#define VB_LAYERS_KERNEL vb_layers_kernel_scalar
#include "kernels/matrix/layers_lanes.h"
