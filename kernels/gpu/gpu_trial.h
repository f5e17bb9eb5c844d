/* A product of made operands on a device: for the choice of tiles, the check of a device, and benchmarks. */
#ifndef VB_GPU_TRIAL_H
#define VB_GPU_TRIAL_H

#include "kernels/gpu/gpu_product.h"

typedef struct vb_gpu_trial {
    vb_gpu_device *device;
    vb_gpu_product product;
    size_t a_size, b_size, c_size; /* bytes */
    float *a;                      /* the operands, as the host has them */
    void *b;
    float *result; /* of the product's size, for whoever reads one */
} vb_gpu_trial;

/* Numbers from -1 to 1, of few bits; the weights of `type`. Close it in any case. VB_EMEMORY. */
int vb_gpu_trial_open(vb_gpu_trial *trial, vb_gpu_device *device, int64_t rows, int columns, int depth, vb_dtype type,
                      vb_error *err);
void vb_gpu_trial_close(vb_gpu_trial *trial);

/* Computes the product with a tile and waits; its rows to `result` (NULL: they stay). */
int vb_gpu_trial_run(vb_gpu_trial *trial, const vb_gpu_tile *tile, float *result, vb_error *err);

/* Seconds of one product with a tile (NULL: the device's choice), the least of `rounds` rounds of about `moment` seconds. The
 * program is built before. */
int vb_gpu_trial_time(vb_gpu_trial *trial, const vb_gpu_tile *tile, int rounds, double moment, double *seconds, vb_error *err);

/* For measurements: of a clock that goes on. */
double vb_gpu_trial_now(void);

#endif
