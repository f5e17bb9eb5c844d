/* The micro kernel and the packing of B in plain C: tiles of 4 x 16. */
#include <math.h>
#include <string.h>

#include "kernels/matrix/gemm_kernel.h"

enum { ROWS = 4, COLS = 16, DEPTH = VB_GEMM_DEPTH };

static void gemm_multiply_scalar(int64_t count, int m, const float *a, const int32_t *order, const float *b, float *tile,
                                 bool first, const vb_gemm_ahead *ahead) {
    (void)ahead;
    if (first) memset(tile, 0, (size_t)m * COLS * sizeof *tile);
    for (int i = 0; i < m; i++)
        for (int64_t k = 0; k < count; k++)
            for (int j = 0; j < COLS; j++)
                tile[i * COLS + j] = fmaf(a[i * DEPTH + (order ? order[k] : k)], b[k * COLS + j], tile[i * COLS + j]);
}

static void gemm_pack_scalar(const vb_matrix *b, int64_t row, int n, int64_t first, int64_t count, float *out) {
    for (int64_t k = 0; k < count; k++)
        for (int j = 0; j < COLS; j++) out[k * COLS + j] = j < n ? vb_matrix_at(b, row + j, first + k) : 0;
}

const vb_gemm_kernel vb_gemm_kernel_scalar = {.rows = ROWS,
                                              .cols = COLS,
                                              .multiply = gemm_multiply_scalar,
                                              .pack = gemm_pack_scalar};
