/* Attention in plain C. */
#define VB_LANES 1
#define VB_ATTENTION_KERNEL vb_attention_kernel_scalar
#include "kernels/matrix/attention_lanes.h"
