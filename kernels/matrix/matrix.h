/* A weight matrix where it lies, often in a mapped file. */
#ifndef VB_MATRIX_H
#define VB_MATRIX_H

#include <stdint.h>

#include "kernels/base/dtype.h"

/* Element (row, col) is at data[row * row_stride + col * col_stride]. rows = outputs, cols = inputs. VB_F32, VB_F16 or VB_BF16;
 * the data may be unaligned. A view; whoever made it owns the bytes. */
typedef struct vb_matrix {
    const void *data;
    vb_dtype dtype;
    int64_t rows, cols, row_stride, col_stride;
} vb_matrix;

/* Weights as the kernels of a level read them, made once instead of with every call: B of a matrix product (gemm.h), or filters
 * through Winograd's transforms (winograd.h). A view; whoever made it owns the floats. */
typedef struct vb_kept {
    const float *floats; /* NULL: none are kept */
    int columns;         /* outputs side by side, as the level has them for which they were made: another one ignores them */
} vb_kept;

/* Element (row, col) widened to float, exactly. */
float vb_matrix_at(const vb_matrix *matrix, int64_t row, int64_t col);

#endif
