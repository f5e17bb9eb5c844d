/* Pictures of any shape: what the host works out for the kernel that gathers their patches. Private to kernels/gpu/. */
#ifndef VB_GPU_PATCHES_H
#define VB_GPU_PATCHES_H

#include "kernels/gpu/gpu_operations.h"

enum { VB_GPU_PATCHES_CORNER = sizeof(cl_ulong), VB_GPU_PATCHES_STRIDES = 2 * sizeof(cl_int) }; /* bytes a patch */

/* Of the patches first .. first + rows - 1 of a piece: where their corners lie, and the strides of their pictures. The caller
 * releases both, also after a failure. */
int vb_gpu_patches_corners(const vb_gpu_piece *piece, int patch, int64_t first, int64_t rows, cl_mem *corners, cl_mem *strides,
                           vb_error *err);

/* Positions of all patches of a piece, resized here: rows of `width`. */
int vb_gpu_patches_positions(const vb_gpu_piece *piece, const vb_patches *patches, int width, cl_mem *buffer, vb_error *err);

#endif
