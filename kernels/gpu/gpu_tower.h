/* A tower's weights on a device. Private to kernels/gpu/. */
#ifndef VB_GPU_TOWER_H
#define VB_GPU_TOWER_H

#include "kernels/gpu/gpu_work.h"
#include "kernels/towers/program.h"

/* What an operation reads besides values; by its kind:
 * matrix: the weights (of convolutions through Winograd's transforms their factors, fp32);
 * rows of the table (embed), of the constant; taps (depthwise); cosines (rotary).
 * scale: of linear and convolution; the norm's weight; the class row (embed); the leading row (sequence); sines (rotary).
 * bias: of linear, convolution, depthwise, patches; the norm's; positions (embed, sequence). */
typedef enum vb_gpu_weight { VB_GPU_MATRIX, VB_GPU_SCALE, VB_GPU_BIAS, VB_GPU_WEIGHTS } vb_gpu_weight;

typedef struct vb_gpu_step {
    cl_mem weights[VB_GPU_WEIGHTS]; /* the device's `nothing` where there is none */
    size_t bytes[VB_GPU_WEIGHTS];   /* 0: none */
} vb_gpu_step;

typedef struct vb_gpu_tower {
    const vb_program *program; /* borrowed */
    vb_gpu_step *steps;        /* one an operation */
    size_t bytes;
} vb_gpu_tower;

/* Uploads all weights of a program. VB_EMEMORY: they do not fit. Close it in any case. */
int vb_gpu_tower_open(vb_gpu_tower *tower, vb_gpu_device *device, const vb_program *program, vb_error *err);
void vb_gpu_tower_close(vb_gpu_tower *tower, vb_gpu_device *device);

/* The number of a stored type as the kernels have it: 0 fp32, 1 fp16, 2 bf16. */
int vb_gpu_tower_type(vb_dtype dtype);

#endif
