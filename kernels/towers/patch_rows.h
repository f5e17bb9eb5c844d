/* Pictures of any shape as rows of patches, and the positions of those (SigLIP 2 NaFlex). */
#ifndef VB_PATCH_ROWS_H
#define VB_PATCH_ROWS_H

#include <stdint.h>

#include "kernels/base/patch_grid.h"

/* Pictures that lie `stride` floats apart, each 3 x height x width without gaps; picture i has rows starts[i] .. starts[i + 1] -
 * 1 of the matrix, a row a patch. Columns of the matrix are row, column, channel of the patch. */
typedef struct vb_patch_rows {
    const float *pixels;
    int64_t stride, count;
    const vb_patch_grid *grids;
    const int64_t *starts;
    int patch;
} vb_patch_rows;

/* A vb_row_source (kernels/matrix/gemm.h); `context` is a vb_patch_rows. */
void vb_patch_rows_row(const void *context, int64_t row, int64_t first, int64_t count, float *out);

/* The table of side x side positions resized to a grid: a triangle along each axis, of the width of a cell of the table, or of
 * the grid where that is coarser; cells of the table are summed row by row, from 0 upward. out: rows * columns x width. */
void vb_patch_rows_positions(const float *table, int side, int width, const vb_patch_grid *grid, float *out);

#endif
