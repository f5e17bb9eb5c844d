/* Convolutions through Winograd's transforms (kernels/matrix/winograd.h) on a device. Private to kernels/gpu/. */
#ifndef VB_GPU_WINOGRAD_H
#define VB_GPU_WINOGRAD_H

#include "kernels/gpu/gpu_product.h"

typedef struct vb_gpu_winograd {
    int64_t images;
    cl_int channels, outputs, height, width, padding;
    vb_gpu_place in, out;
    cl_mem factors;           /* as vb_gpu_winograd_factors makes them */
    vb_gpu_epilogue epilogue; /* without a gate */
    cl_mem scratch;
    size_t scratch_floats;
} vb_gpu_winograd;

/* Floats of scratch that a tile takes; a launch needs those of one at least. */
size_t vb_gpu_winograd_scratch(int channels, int outputs);
/* Tiles of an output image. */
int64_t vb_gpu_winograd_tiles(int out_height, int out_width);

/* Filters (outputs x channels * 9) to the 36 matrices of factors, each outputs x channels. Free with vb_free; NULL with
 * VB_EMEMORY. */
float *vb_gpu_winograd_factors(const vb_matrix *weight, vb_error *err);

int vb_gpu_winograd_queue(vb_gpu_device *device, const vb_gpu_winograd *job, vb_error *err);

#endif
