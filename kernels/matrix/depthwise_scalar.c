/* Depthwise convolution in plain C. */
#define VB_LANES 1
#define VB_DEPTHWISE_TABLE vb_depthwise_kernel_scalar
#include "kernels/matrix/depthwise_lanes.h"
