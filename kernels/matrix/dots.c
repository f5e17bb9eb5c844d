/* fp64 inner products: packing and blocking. */
#include "kernels/matrix/dots.h"

#include <assert.h>

#include "kernels/matrix/dots_kernel.h"

void vb_dots_pack(int64_t n, const float *b, int dim, float *out) {
    for (int64_t first = 0; first < n; first += VB_DOTS_COLS, out += (int64_t)dim * VB_DOTS_COLS)
        for (int j = 0; j < VB_DOTS_COLS; j++)
            for (int k = 0; k < dim; k++) out[(int64_t)k * VB_DOTS_COLS + j] = first + j < n ? b[(first + j) * dim + k] : 0;
}

void vb_dots(int64_t m, const float *a, int64_t n, const float *packed, int dim, double *c, int64_t ldc) {
    assert(dim >= 0 && ldc >= vb_dots_cols(n));
    const vb_dots_kernel *kernel = vb_dots_kernel_get();
    double block[VB_DOTS_ROWS * VB_DOTS_DEPTH];
    for (int64_t i = 0; i < m; i += VB_DOTS_ROWS)
        for (int k = 0; k < dim; k += VB_DOTS_DEPTH) {
            int count = dim - k < VB_DOTS_DEPTH ? dim - k : VB_DOTS_DEPTH;
            for (int r = 0; r < VB_DOTS_ROWS; r++)
                for (int l = 0; l < count; l++) block[r * VB_DOTS_DEPTH + l] = i + r < m ? (double)a[(i + r) * dim + k + l] : 0;
            for (int64_t j = 0; j < n; j += VB_DOTS_COLS)
                kernel->multiply(count, block, packed + j * dim + (int64_t)k * VB_DOTS_COLS, c + i * ldc + j, ldc, k == 0);
        }
}

double vb_dots_gauss_sum(int64_t n, const double *dots, const double *inverse, double scale) {
    return vb_dots_kernel_get()->gauss(n, dots, inverse, scale);
}

double vb_dots_exponential_sum(int64_t n, const double *values, double top, double factor) {
    return vb_dots_kernel_get()->exponentials(n, values, top, factor);
}
