/* fp64 inner products: packing, blocking, the choice of level, and the plain level itself. */
#define VB_LANES 1
#define VB_DOTS_KERNEL vb_dots_scalar
#include "kernels/matrix/dots_kernel.h"

#include "kernels/base/isa.h"

static const vb_dots_kernel *kernel_get(void) {
#if defined(__x86_64__)
    vb_isa level = vb_isa_level();
    if (level >= VB_AVX512) return &vb_dots_avx512;
    if (level == VB_AVX2) return &vb_dots_avx2;
#endif
    return &vb_dots_scalar;
}

void vb_dots_pack(int64_t n, const float *b, int dim, float *out) {
    for (int64_t first = 0; first < n; first += VB_DOTS_COLS, out += (int64_t)dim * VB_DOTS_COLS)
        for (int j = 0; j < VB_DOTS_COLS; j++)
            for (int k = 0; k < dim; k++) out[(int64_t)k * VB_DOTS_COLS + j] = first + j < n ? b[(first + j) * dim + k] : 0;
}

void vb_dots(int64_t m, const float *a, int64_t n, const float *packed, int dim, double *c, int64_t ldc) {
    const vb_dots_kernel *kernel = kernel_get();
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
    return kernel_get()->gauss(n, dots, inverse, scale);
}
