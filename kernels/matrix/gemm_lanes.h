/* The micro kernel and the packing of B, written once on registers of floats and compiled for AVX2 and AVX-512. Tiles are as high
 * as the registers allow: ROWS x 2 accumulators, 2 registers of B, 1 of A.
 *
 * Internal. Defines the table VB_GEMM_KERNEL; the including file sets that name and VB_LANES (512 or 256). */
#ifndef VB_GEMM_LANES_H
#define VB_GEMM_LANES_H

#include <immintrin.h>

#include "kernels/matrix/gemm_kernel.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* load_part: the first elements of a row as float, zeros behind; `part` says how many, and nothing beyond them is read.
 * transpose: WIDTH registers, the rows of a square, to its columns. */
#if VB_LANES == 512
#include "kernels/base/dtype_avx512.h"
#include "kernels/matrix/transpose_avx512.h"

enum { ROWS = 14, WIDTH = 16 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
typedef __m512 vec;
typedef __mmask16 part;
INLINE vec all(float x) { return _mm512_set1_ps(x); }
INLINE vec none(void) { return _mm512_setzero_ps(); }
INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE vec fused(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
INLINE part first_lanes(int64_t n) { return n >= WIDTH ? 0xffff : n > 0 ? (__mmask16)((1u << n) - 1) : 0; }
INLINE vec load_part(const char *p, vb_dtype dtype, part n) { return vb_dtype_avx512_load(p, dtype, n); }
INLINE void transpose(vec x[WIDTH]) {
    __m512i r[WIDTH];
    UNROLL for (int i = 0; i < WIDTH; i++) r[i] = _mm512_castps_si512(x[i]);
    vb_transpose_avx512(r);
    UNROLL for (int i = 0; i < WIDTH; i++) x[i] = _mm512_castsi512_ps(r[i]);
}
#else
#include "kernels/base/dtype_avx2.h"
#include "kernels/matrix/transpose_avx2.h"

enum { ROWS = 6, WIDTH = 8 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
typedef __m256 vec;
typedef int64_t part;
INLINE vec all(float x) { return _mm256_set1_ps(x); }
INLINE vec none(void) { return _mm256_setzero_ps(); }
INLINE vec load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vec x) { _mm256_storeu_ps(p, x); }
INLINE vec fused(vec x, vec y, vec z) { return _mm256_fmadd_ps(x, y, z); }
INLINE part first_lanes(int64_t n) { return n; }
INLINE vec load_part(const char *p, vb_dtype dtype, part n) { return vb_dtype_avx2_load(p, dtype, n); }
INLINE void transpose(vec x[WIDTH]) { vb_transpose_avx2(x); }
#endif

enum { COLS = 2 * WIDTH, DEPTH = VB_GEMM_DEPTH, LINES = VB_GEMM_AHEAD_LINES };

/* Named accumulators, not an array: the compiler keeps them in registers. `m` is a constant wherever this is expanded. */
INLINE void multiply_rows(const int m, int64_t count, const float *a, const int32_t *order, const float *b, float *tile,
                          bool first, const vb_gemm_ahead *ahead) {
#define BEGIN(i) vec x##i = none(), y##i = x##i;
    EACH_ROW(BEGIN)
    if (!first) {
#define RESUME(i)                                                                                                                \
    if (i < m) x##i = load(tile + i * COLS), y##i = load(tile + i * COLS + WIDTH);
        EACH_ROW(RESUME)
    }
#define STEP(i)                                                                                                                  \
    if (i < m) {                                                                                                                 \
        vec ai = all(ak[i * DEPTH]);                                                                                             \
        x##i = fused(ai, bx, x##i);                                                                                              \
        y##i = fused(ai, by, y##i);                                                                                              \
    }
    const char *next = ahead->at;
    for (const float *end = b + count * COLS; b != end; next += ahead->stride) {
        const float *some = end - b < LINES * COLS ? end : b + LINES * COLS;
        for (const char *line = next; b != some; b += COLS, line += 64) {
            const float *ak = order ? a + *order++ : a++;
            _mm_prefetch(line, _MM_HINT_T1);
            vec bx = load(b), by = load(b + WIDTH);
            EACH_ROW(STEP)
        }
    }
#define END(i)                                                                                                                   \
    if (i < m) store(tile + i * COLS, x##i), store(tile + i * COLS + WIDTH, y##i);
    EACH_ROW(END)
}

static void gemm_multiply(int64_t count, int m, const float *a, const int32_t *order, const float *b, float *tile, bool first,
                          const vb_gemm_ahead *ahead) {
    switch (order ? m + ROWS : m) {
#define HEIGHT(i)                                                                                                                \
    case i + 1: multiply_rows(i + 1, count, a, NULL, b, tile, first, ahead); break;                                              \
    case ROWS + i + 1: multiply_rows(i + 1, count, a, order, b, tile, first, ahead); break;
        EACH_ROW(HEIGHT)
    default: break;
    }
}

/* Up to WIDTH rows that lie contiguously, `stride` bytes apart, to columns COLS apart. */
INLINE void pack_rows(const char *p, int64_t stride, const vb_dtype dtype, int n, int64_t count, float *out) {
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    for (int64_t k = 0; k < count; k += WIDTH) {
        part columns = first_lanes(count - k);
        vec r[WIDTH];
        if (VB_LANES == 512 && n == WIDTH) { /* without sixteen tests */
            UNROLL for (int i = 0; i < WIDTH; i++) r[i] = load_part(p + i * stride + k * size, dtype, columns);
        } else {
            UNROLL for (int i = 0; i < WIDTH; i++) r[i] = i < n ? load_part(p + i * stride + k * size, dtype, columns) : none();
        }
        transpose(r);
        float *to = out + k * COLS;
        if (count - k >= WIDTH) {
            UNROLL for (int i = 0; i < WIDTH; i++) store(to + i * COLS, r[i]);
        } else {
            UNROLL for (int i = 0; i < WIDTH; i++) if (i < count - k) store(to + i * COLS, r[i]);
        }
    }
}

/* Columns of B that lie contiguously, `stride` bytes apart. */
INLINE void pack_columns(const char *p, int64_t stride, const vb_dtype dtype, int n, int64_t count, float *out) {
    part low = first_lanes(n), high = first_lanes(n - WIDTH);
    const int64_t half = WIDTH * (dtype == VB_F32 ? 4 : 2);
    for (int64_t k = 0; k < count; k++, p += stride) {
        store(out + k * COLS, load_part(p, dtype, low));
        store(out + k * COLS + WIDTH, load_part(p + half, dtype, high));
    }
}

INLINE void pack_as(const vb_matrix *b, const vb_dtype dtype, int64_t row, int n, int64_t first, int64_t count, float *out) {
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    const char *p = (const char *)b->data + (row * b->row_stride + first * b->col_stride) * size;
    if (b->row_stride == 1) {
        pack_columns(p, b->col_stride * size, dtype, n, count, out);
        return;
    }
    pack_rows(p, b->row_stride * size, dtype, n < WIDTH ? n : WIDTH, count, out);
    pack_rows(p + WIDTH * b->row_stride * size, b->row_stride * size, dtype, n > WIDTH ? n - WIDTH : 0, count, out + WIDTH);
}

static void gemm_pack(const vb_matrix *b, int64_t row, int n, int64_t first, int64_t count, float *out) {
    if (b->col_stride != 1 && b->row_stride != 1) {
        for (int64_t k = 0; k < count; k++)
            for (int j = 0; j < COLS; j++) out[k * COLS + j] = j < n ? vb_matrix_at(b, row + j, first + k) : 0;
    } else if (b->dtype == VB_F32) {
        pack_as(b, VB_F32, row, n, first, count, out);
    } else if (b->dtype == VB_F16) {
        pack_as(b, VB_F16, row, n, first, count, out);
    } else {
        pack_as(b, VB_BF16, row, n, first, count, out);
    }
}

const vb_gemm_kernel VB_GEMM_KERNEL = {.rows = ROWS, .cols = COLS, .multiply = gemm_multiply, .pack = gemm_pack};

#endif
