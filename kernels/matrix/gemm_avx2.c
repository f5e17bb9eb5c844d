/* The micro kernel and the packing of B for AVX2: tiles of 6 x 16, 12 accumulators, 2 registers of B, 1 of A. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels/base/dtype_avx2.h"
#include "kernels/matrix/gemm_kernel.h"

enum { ROWS = 6, COLS = 16, DEPTH = VB_GEMM_DEPTH, LINES = VB_GEMM_AHEAD_LINES };
#define INLINE static inline __attribute__((always_inline))

/* Named accumulators, not an array: the compiler keeps them in registers. `m` is a constant wherever this is expanded. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

INLINE void multiply_rows(const int m, int64_t count, const float *a, const float *b, float *tile, bool first, const char *ahead,
                          int64_t ahead_stride) {
#define BEGIN(i) __m256 x##i = _mm256_setzero_ps(), y##i = x##i;
    EACH_ROW(BEGIN)
    if (!first) {
#define RESUME(i)                                                                                                                \
    if (i < m) x##i = _mm256_loadu_ps(tile + i * COLS), y##i = _mm256_loadu_ps(tile + i * COLS + 8);
        EACH_ROW(RESUME)
    }
#define STEP(i)                                                                                                                  \
    if (i < m) {                                                                                                                 \
        __m256 ai = _mm256_set1_ps(a[i * DEPTH]);                                                                                \
        x##i = _mm256_fmadd_ps(ai, bx, x##i);                                                                                    \
        y##i = _mm256_fmadd_ps(ai, by, y##i);                                                                                    \
    }
    for (const float *end = b + count * COLS; b != end; ahead += ahead_stride) {
        const float *some = end - b < LINES * COLS ? end : b + LINES * COLS;
        for (const char *line = ahead; b != some; b += COLS, a++, line += 64) {
            _mm_prefetch(line, _MM_HINT_T1);
            __m256 bx = _mm256_loadu_ps(b), by = _mm256_loadu_ps(b + 8);
            EACH_ROW(STEP)
        }
    }
#define END(i)                                                                                                                   \
    if (i < m) _mm256_storeu_ps(tile + i * COLS, x##i), _mm256_storeu_ps(tile + i * COLS + 8, y##i);
    EACH_ROW(END)
}

static void multiply(int64_t count, int m, const float *a, const float *b, float *tile, bool first, const char *ahead,
                     int64_t ahead_stride) {
    switch (m) {
#define HEIGHT(i)                                                                                                                \
    case i + 1: multiply_rows(i + 1, count, a, b, tile, first, ahead, ahead_stride); break;
        EACH_ROW(HEIGHT)
    default: break;
    }
}

/* ---- packing -------------------------------------------------------------------------------------------------------- */

/* Rows of 8 in r to columns, stored COLS apart. */
INLINE void store_transposed(const __m256 r[8], int64_t columns, float *out) {
    __m256 t[8], u[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
        t[4 + i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        if (i < columns) _mm256_storeu_ps(out + i * COLS, t[i]);
}

/* Up to 8 rows that lie contiguously, `stride` bytes apart. */
INLINE void pack_rows(const char *p, int64_t stride, vb_dtype dtype, int n, int64_t count, float *out) {
    int64_t size = dtype == VB_F32 ? 4 : 2;
    for (int64_t k = 0; k < count; k += 8) {
        __m256 r[8];
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++)
            r[i] = i < n ? vb_dtype_avx2_load(p + i * stride + k * size, dtype, count - k) : _mm256_setzero_ps();
        store_transposed(r, count - k, out + k * COLS);
    }
}

/* Columns of B that lie contiguously, `stride` bytes apart. */
INLINE void pack_columns(const char *p, int64_t stride, vb_dtype dtype, int n, int64_t count, float *out) {
    int64_t half = dtype == VB_F32 ? 32 : 16;
    for (int64_t k = 0; k < count; k++, p += stride) {
        _mm256_storeu_ps(out + k * COLS, vb_dtype_avx2_load(p, dtype, n));
        _mm256_storeu_ps(out + k * COLS + 8, n > 8 ? vb_dtype_avx2_load(p + half, dtype, n - 8) : _mm256_setzero_ps());
    }
}

INLINE void pack_as(const vb_matrix *b, vb_dtype dtype, int64_t row, int n, int64_t first, int64_t count, float *out) {
    int64_t size = dtype == VB_F32 ? 4 : 2;
    const char *p = (const char *)b->data + (row * b->row_stride + first * b->col_stride) * size;
    if (b->row_stride == 1) {
        pack_columns(p, b->col_stride * size, dtype, n, count, out);
        return;
    }
    pack_rows(p, b->row_stride * size, dtype, n < 8 ? n : 8, count, out);
    pack_rows(p + 8 * b->row_stride * size, b->row_stride * size, dtype, n > 8 ? n - 8 : 0, count, out + 8);
}

static void pack(const vb_matrix *b, int64_t row, int n, int64_t first, int64_t count, float *out) {
    if (b->col_stride != 1 && b->row_stride != 1) {
        for (int64_t k = 0; k < count; k++)
            for (int j = 0; j < COLS; j++) out[k * COLS + j] = j < n ? vb_gemm_kernel_at(b, row + j, first + k) : 0;
    } else if (b->dtype == VB_F32) {
        pack_as(b, VB_F32, row, n, first, count, out);
    } else if (b->dtype == VB_F16) {
        pack_as(b, VB_F16, row, n, first, count, out);
    } else {
        pack_as(b, VB_BF16, row, n, first, count, out);
    }
}

const vb_gemm_kernel vb_gemm_kernel_avx2 = {ROWS, COLS, multiply, pack};
#else
typedef int vb_no_avx2_here;
#endif
