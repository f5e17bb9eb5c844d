/* Kernels that are no operation of a tower, held against the CPU. Private to kernels/gpu/. */
#ifndef VB_GPU_CHECK_REST_H
#define VB_GPU_CHECK_REST_H

#include "kernels/gpu/gpu_check.h"

/* Pixels of bytes. */
int vb_gpu_check_rest_pixels(vb_gpu_device *device, vb_gpu_check_difference *difference, vb_error *err);

/* Picking the best rows of each query, and the squares of rows of `type`: whether any is missed that should be found. */
int vb_gpu_check_rest_search(vb_gpu_device *device, vb_dtype type, vb_gpu_check_difference *difference, vb_error *err);

#endif
