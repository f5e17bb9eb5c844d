/* Corners, strides and positions, a row a patch. */
#include "kernels/gpu/gpu_patches.h"

#include "kernels/base/memory.h"
#include "kernels/towers/patch_rows.h"

int vb_gpu_patches_corners(const vb_gpu_piece *piece, int patch, int64_t first, int64_t rows, cl_mem *corners, cl_mem *strides,
                           vb_error *err) {
    const vb_piece *host = &piece->host;
    cl_ulong *at_corner = vb_array((size_t)rows, VB_GPU_PATCHES_CORNER, "patches", err);
    cl_int *steps = vb_array((size_t)rows, VB_GPU_PATCHES_STRIDES, "patches", err);
    int status = at_corner && steps ? 0 : -1;
    int64_t picture = 0;
    for (int64_t r = 0; !status && r < rows; r++) {
        while (host->starts[picture + 1] <= first + r) picture++;
        const int64_t at = first + r - host->starts[picture];
        const vb_patch_grid *grid = &host->grids[picture];
        const int64_t width = (int64_t)grid->columns * patch;
        at_corner[r] = (cl_ulong)picture * host->program->picture +
                       (cl_ulong)(at / grid->columns * patch * width + at % grid->columns * patch);
        steps[2 * r] = (cl_int)(grid->rows * patch * width);
        steps[2 * r + 1] = (cl_int)width;
    }
    if (!status) status = vb_gpu_work_copy(piece->device, at_corner, (size_t)rows * VB_GPU_PATCHES_CORNER, corners, err);
    if (!status) status = vb_gpu_work_copy(piece->device, steps, (size_t)rows * VB_GPU_PATCHES_STRIDES, strides, err);
    vb_free(at_corner);
    vb_free(steps);
    return status;
}

int vb_gpu_patches_positions(const vb_gpu_piece *piece, const vb_patches *patches, int width, cl_mem *buffer, vb_error *err) {
    const vb_piece *host = &piece->host;
    const size_t floats = (size_t)(host->starts[host->count] * width);
    float *positions = vb_buffer(floats, sizeof *positions, "positions", err);
    if (!positions) return -1;
    for (int64_t i = 0; i < host->count; i++)
        vb_patch_rows_positions(patches->positions, patches->side, width, &host->grids[i], positions + host->starts[i] * width);
    const int status = vb_gpu_work_copy(piece->device, positions, floats * sizeof *positions, buffer, err);
    vb_free(positions);
    return status;
}
