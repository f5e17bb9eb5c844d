/* Holds a device against the CPU, operation by operation, bit for bit. */
#ifndef VB_GPU_CHECK_H
#define VB_GPU_CHECK_H

#include "kernels/gpu/gpu_device.h"
#include "kernels/towers/engine.h"

/* What a device and the CPU disagree on. */
typedef struct vb_gpu_check_difference {
    const char *operation; /* "attention"; NULL: nothing */
    int index;             /* of it in its program */
    int64_t element, elements, differ;
    float device, processor; /* at the first that differs */
} vb_gpu_check_difference;

/* Runs a program on both, comparing what each operation makes; ends with the first that differs (NaN equals NaN). 0 when it
 * ran, whatever was found. */
int vb_gpu_check_program(vb_gpu_device *device, const vb_program *program, const vb_engine_input *input, int64_t n,
                         vb_gpu_check_difference *difference, vb_error *err);

/* Products with the tiles that the device has chosen, pixels of bytes, the search, and small made programs of every kind of
 * operation and activation; 0 when all are equal. *differs: the error is VB_EDEVICE and names the operation that is not; without
 * it the device failed. seed: of weights and inputs. */
int vb_gpu_check_device(vb_gpu_device *device, unsigned seed, bool *differs, vb_error *err);

#endif
