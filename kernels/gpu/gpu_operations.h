/* The operations of towers on a device: a function for each kind queues its kernels. Private to kernels/gpu/. */
#ifndef VB_GPU_OPERATIONS_H
#define VB_GPU_OPERATIONS_H

#include "kernels/gpu/gpu_tower.h"
#include "kernels/towers/piece.h"

/* A piece (kernels/towers/piece.h) whose values lie on the device; of `host`, work and out are NULL. */
typedef struct vb_gpu_piece {
    vb_gpu_device *device;
    const vb_gpu_tower *tower;
    vb_piece host;
    cl_mem pixels, work, out;
    cl_mem scratch; /* of convolutions: rows of the im2col matrix */
    size_t scratch_floats;
} vb_gpu_piece;

/* Floats of scratch that a program wants for a piece of `items` items: no more than `most`, or what a single row needs. */
size_t vb_gpu_operations_scratch(const vb_program *program, int64_t items, int64_t rows, size_t most);

/* Queues the pixels of the piece's pictures from their bytes: piece->pixels gets the floats. values: as vb_engine_input has
 * it. */
int vb_gpu_operations_pixels(const vb_gpu_piece *piece, cl_mem bytes, cl_mem values, vb_error *err);

/* Queues operation `index` of the piece's program. */
int vb_gpu_operations_queue(const vb_gpu_piece *piece, int index, vb_error *err);

#endif
