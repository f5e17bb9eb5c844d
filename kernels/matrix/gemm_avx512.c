/* The micro kernel and the packing of B for AVX-512: tiles of 14 x 32, 28 accumulators, 2 registers of B, 1 of A. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/base/dtype_avx512.h"
#include "kernels/matrix/gemm_kernel.h"
#include "kernels/matrix/transpose_avx512.h"

enum { ROWS = 14, COLS = 32, DEPTH = VB_GEMM_DEPTH, LINES = VB_GEMM_AHEAD_LINES };
#define INLINE static inline __attribute__((always_inline))

/* Named accumulators, not an array: the compiler keeps them in registers. `m` is a constant wherever this is expanded. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)

INLINE void multiply_rows(const int m, int64_t count, const float *a, const float *b, float *tile, bool first, const char *ahead,
                          int64_t ahead_stride) {
#define BEGIN(i) __m512 x##i = _mm512_setzero_ps(), y##i = x##i;
    EACH_ROW(BEGIN)
    if (!first) {
#define RESUME(i)                                                                                                                \
    if (i < m) x##i = _mm512_loadu_ps(tile + i * COLS), y##i = _mm512_loadu_ps(tile + i * COLS + 16);
        EACH_ROW(RESUME)
    }
#define STEP(i)                                                                                                                  \
    if (i < m) {                                                                                                                 \
        __m512 ai = _mm512_set1_ps(a[i * DEPTH]);                                                                                \
        x##i = _mm512_fmadd_ps(ai, bx, x##i);                                                                                    \
        y##i = _mm512_fmadd_ps(ai, by, y##i);                                                                                    \
    }
    for (const float *end = b + count * COLS; b != end; ahead += ahead_stride) {
        const float *some = end - b < LINES * COLS ? end : b + LINES * COLS;
        for (const char *line = ahead; b != some; b += COLS, a++, line += 64) {
            _mm_prefetch(line, _MM_HINT_T1);
            __m512 bx = _mm512_loadu_ps(b), by = _mm512_loadu_ps(b + 16);
            EACH_ROW(STEP)
        }
    }
#define END(i)                                                                                                                   \
    if (i < m) _mm512_storeu_ps(tile + i * COLS, x##i), _mm512_storeu_ps(tile + i * COLS + 16, y##i);
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

INLINE __mmask16 first_lanes(int64_t n) { return n >= 16 ? 0xffff : (__mmask16)((1u << n) - 1); }

/* Rows of 16 in r to columns, stored COLS apart. */
INLINE void store_transposed(const __m512 rows[16], int64_t columns, float *out) {
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) r[i] = _mm512_castps_si512(rows[i]);
    vb_transpose_16(r);
    if (columns >= 16) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) _mm512_storeu_si512(out + i * COLS, r[i]);
    } else {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            if (i < columns) _mm512_storeu_si512(out + i * COLS, r[i]);
    }
}

/* Up to 16 rows that lie contiguously, `stride` bytes apart. */
INLINE void pack_rows(const char *p, int64_t stride, vb_dtype dtype, int n, int64_t count, float *out) {
    int64_t size = dtype == VB_F32 ? 4 : 2;
    for (int64_t k = 0; k < count; k += 16) {
        __mmask16 mask = first_lanes(count - k);
        __m512 r[16];
        if (n == 16) {
#pragma GCC unroll 16
            for (int i = 0; i < 16; i++) r[i] = vb_dtype_avx512_load(p + i * stride + k * size, dtype, mask);
        } else {
#pragma GCC unroll 16
            for (int i = 0; i < 16; i++)
                r[i] = i < n ? vb_dtype_avx512_load(p + i * stride + k * size, dtype, mask) : _mm512_setzero_ps();
        }
        store_transposed(r, count - k, out + k * COLS);
    }
}

/* Columns of B that lie contiguously, `stride` bytes apart. */
INLINE void pack_columns(const char *p, int64_t stride, vb_dtype dtype, int n, int64_t count, float *out) {
    __mmask16 low = first_lanes(n), high = n > 16 ? first_lanes(n - 16) : 0;
    int64_t half = dtype == VB_F32 ? 64 : 32;
    for (int64_t k = 0; k < count; k++, p += stride) {
        _mm512_storeu_ps(out + k * COLS, vb_dtype_avx512_load(p, dtype, low));
        _mm512_storeu_ps(out + k * COLS + 16, vb_dtype_avx512_load(p + half, dtype, high));
    }
}

INLINE void pack_as(const vb_matrix *b, vb_dtype dtype, int64_t row, int n, int64_t first, int64_t count, float *out) {
    int64_t size = dtype == VB_F32 ? 4 : 2;
    const char *p = (const char *)b->data + (row * b->row_stride + first * b->col_stride) * size;
    if (b->row_stride == 1) {
        pack_columns(p, b->col_stride * size, dtype, n, count, out);
        return;
    }
    pack_rows(p, b->row_stride * size, dtype, n < 16 ? n : 16, count, out);
    pack_rows(p + 16 * b->row_stride * size, b->row_stride * size, dtype, n > 16 ? n - 16 : 0, count, out + 16);
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

const vb_gemm_kernel vb_gemm_kernel_avx512 = {ROWS, COLS, multiply, pack};
#else
typedef int vb_no_avx512_here;
#endif
