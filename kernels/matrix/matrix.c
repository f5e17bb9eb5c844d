/* Elements of a strided matrix. */
#include "kernels/matrix/matrix.h"

#include <assert.h>

float vb_matrix_at(const vb_matrix *matrix, int64_t row, int64_t col) {
    assert(row >= 0 && row < matrix->rows && col >= 0 && col < matrix->cols);
    int64_t at = row * matrix->row_stride + col * matrix->col_stride;
    return vb_dtype_load(matrix->dtype, (const char *)matrix->data + at * (int64_t)vb_dtype_size(matrix->dtype));
}
