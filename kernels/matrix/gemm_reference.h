/* The matrix product by three plain loops: the definition that vb_gemm is tested against, bit for bit. */
#ifndef VB_GEMM_REFERENCE_H
#define VB_GEMM_REFERENCE_H

#include "kernels/matrix/gemm.h"

/* As vb_gemm, on one thread. */
int vb_gemm_reference(int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc, const vb_epilogue *epilogue,
                      vb_error *err);

#endif
