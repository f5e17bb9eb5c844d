/* Single-precision matrix product with one fixed order of summation for every output element.
 *
 * C[i][j] = epilogue(sum over k of A[i][k] * B[j][k]), the sum being ONE chain of fused multiply-adds from k = 0 upward, starting
 * at 0. Blocking, threads, batch size and instruction set never change that chain, so every level gives the same bits. */
#ifndef VB_GEMM_H
#define VB_GEMM_H

#include "kernels/base/error.h"
#include "kernels/base/scratch.h"
#include "kernels/matrix/matrix.h"

/* The order is that of the words that inspect prints (kernels/towers/program.c). */
typedef enum vb_activation { VB_LINEAR, VB_QUICK_GELU, VB_GELU, VB_GELU_TANH, VB_SILU, VB_RELU, VB_SIGMOID } vb_activation;

/* Applied in this order; NULL and VB_LINEAR skip a step. Vectors have one entry a column of C. */
typedef struct vb_epilogue {
    const float *scale; /* times scale[j]: a folded BatchNorm */
    const float *bias;  /* plus bias[j] */
    vb_activation activation;
    const float *gate; /* times gate[i * ld_gate + j]; may be C itself */
    int64_t ld_gate;
    const float *residual; /* plus residual[i * ld_residual + j]; may be C itself */
    int64_t ld_residual;
    vb_activation last; /* after the residual */
} vb_epilogue;

/* Supplies rows of A that are not stored (im2col): writes A[row][first .. first+count-1] to out. Must be thread-safe. */
typedef void vb_row_source(const void *context, int64_t row, int64_t first, int64_t count, float *out);

typedef struct vb_gemm_a {
    const float *data; /* rows x cols, leading dimension ld; NULL when `source` supplies the rows */
    int64_t ld;
    vb_row_source *source;
    const void *context;
    /* Above 1: the source is asked for whole groups of `taps` values and writes them in another order, the first of each group,
     * then the second of each, and so on: group g's value t to out[t * (count / taps) + g]. */
    int taps;
    const struct vb_bf16x3_kernel *bf16x3; /* multiply in three products of bf16 instead (bf16x3.h; without taps); NULL: fp32 */
    const vb_kept *kept;                   /* B's (vb_gemm_keep), which is then not packed again; NULL: none */
    vb_scratch *scratch;                   /* where work space comes from; NULL: it is allocated and freed inside */
} vb_gemm_a;

/* C (rows x b->rows, leading dimension ldc) = A (rows x b->cols) times B transposed. `threads` >= 1 OpenMP threads; 1 may be
 * called inside a parallel region, each call with a scratch of its own or none. Work space is a few MiB a thread at most. Fails
 * only for lack of memory. */
int vb_gemm(int64_t rows, const vb_gemm_a *a, const vb_matrix *b, float *c, int64_t ldc, const vb_epilogue *epilogue, int threads,
            vb_error *err);

/* B packed once instead of with every call, which products of few rows pay for: the same bits. fp16 and bf16 are widened.
 *
 * Packs it for the level in use into `floats`, vb_gemm_kept_floats of them. */
void vb_gemm_keep(const vb_matrix *b, float *floats, int threads);
size_t vb_gemm_kept_floats(const vb_matrix *b);
int vb_gemm_kept_columns(void); /* of vb_kept */

#endif
