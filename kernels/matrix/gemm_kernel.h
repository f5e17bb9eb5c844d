/* What the matrix product has once for each instruction set level. Private to kernels/matrix/. */
#ifndef VB_GEMM_KERNEL_H
#define VB_GEMM_KERNEL_H

#include <stdbool.h>

#include "kernels/matrix/gemm.h"

/* Values of k in a block, and the row stride of packed A: constant, so that micro kernels address all rows from one register. */
enum { VB_GEMM_DEPTH = 256 };

/* A micro kernel call fetches rows of DEPTH floats ahead into the second-level cache, a line of 64 bytes for each value of k: as
 * many rows as its depth has such runs of lines. */
enum { VB_GEMM_LINE = 16, VB_GEMM_AHEAD_LINES = VB_GEMM_DEPTH / VB_GEMM_LINE };

/* Rows of memory that will be read soon, `stride` bytes apart. */
typedef struct vb_gemm_ahead {
    const char *at;
    int64_t stride;
} vb_gemm_ahead;

typedef struct vb_gemm_kernel {
    int rows, cols; /* of a full tile */

    /* tile (m x cols, dense): its chains go on over `count` <= VB_GEMM_DEPTH values of k; m <= rows.
     * a: m rows, VB_GEMM_DEPTH apart; value k of a row is its entry order[k], or k for NULL. b: count x cols. `first`: the chains
     * begin at 0 instead of at the tile's values. */
    void (*multiply)(int64_t count, int m, const float *a, const int32_t *order, const float *b, float *tile, bool first,
                     const vb_gemm_ahead *ahead);

    /* out (count x cols) = columns first .. first + count - 1 of rows row .. row + n - 1 of b, transposed; zeros beyond n. */
    void (*pack)(const vb_matrix *b, int64_t row, int n, int64_t first, int64_t count, float *out);
} vb_gemm_kernel;

/* For the level in use. */
const vb_gemm_kernel *vb_gemm_kernel_get(void);

/* `count` rows of A from (row, first), `depth` <= VB_GEMM_DEPTH values each, to out: rows VB_GEMM_DEPTH apart. */
void vb_gemm_kernel_pack_rows(const vb_gemm_a *a, int64_t row, int64_t count, int64_t first, int64_t depth, float *out);

extern const vb_gemm_kernel vb_gemm_kernel_scalar;
#if defined(__x86_64__)
extern const vb_gemm_kernel vb_gemm_kernel_avx2, vb_gemm_kernel_avx512;
#endif

#endif
