/* The matrix product by three plain loops. */
#include "kernels/matrix/gemm_reference.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/layers_kernel.h"

int vb_gemm_reference(int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc, const vb_epilogue *epilogue,
                      vb_error *err) {
    static const vb_epilogue none;
    const vb_epilogue *e = epilogue ? epilogue : &none;
    float *row = vb_array((size_t)b->cols, sizeof *row, "a row of A", err);
    if (!row) return -1;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t k = 0; k < b->cols; k++) {
            if (a->data) row[k] = a->data[i * a->ld + k];
            else a->source(a->context, i, k, 1, row + k);
        }
        for (int64_t j = 0; j < b->rows; j++) {
            float x = 0;
            for (int64_t k = 0; k < b->cols; k++) x = fmaf(row[k], vb_matrix_at(b, j, k), x);
            if (e->scale) x *= e->scale[j];
            if (e->bias) x += e->bias[j];
            vb_layers_kernel_scalar.activate(1, &x, e->activation);
            if (e->gate) x *= e->gate[i * e->ld_gate + j];
            if (e->residual) x += e->residual[i * e->ld_residual + j];
            vb_layers_kernel_scalar.activate(1, &x, e->last);
            c[i * ldc + j] = x;
        }
    }
    vb_free(row);
    return 0;
}
