/* The product in three products of bf16 by fp32 multiply-adds, for processors without bf16: a bf16 is the upper half of a float,
 * so the products are the same, and denormal numbers are flushed as the bf16 instructions flush them. The including file says
 * VB_LANES, the table's name and its word. */
#ifndef VB_BF16X3_LANES_H
#define VB_BF16X3_LANES_H

#include <immintrin.h>

#if VB_LANES == 512
enum { ROWS = 4, COLS = 32, WIDTH = 16 };
typedef __m512 vec;
typedef __m512i whole;
#define all(x) _mm512_castsi512_ps(_mm512_set1_epi32((int)(x)))
#define none _mm512_setzero_ps
#define load _mm512_loadu_ps
#define store _mm512_storeu_ps
#define fused _mm512_fmadd_ps
#define plus _mm512_add_ps
#define load_pairs(p) _mm512_loadu_si512(p)
#define upper(x) _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32((int)0xffff0000u)))
#define lower(x) _mm512_castsi512_ps(_mm512_slli_epi32(x, 16))
#else
enum { ROWS = 4, COLS = 16, WIDTH = 8 };
typedef __m256 vec;
typedef __m256i whole;
#define all(x) _mm256_castsi256_ps(_mm256_set1_epi32((int)(x)))
#define none _mm256_setzero_ps
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define fused _mm256_fmadd_ps
#define plus _mm256_add_ps
#define load_pairs(p) _mm256_loadu_si256((const __m256i *)(p))
#define upper(x) _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32((int)0xffff0000u)))
#define lower(x) _mm256_castsi256_ps(_mm256_slli_epi32(x, 16))
#endif

#define FIRST(j) (2 * (j))
#define SECOND(j) (2 * (j) + 1)
#include "kernels/matrix/bf16x3_pack.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")
enum { DWORDS = VB_BF16X3_DWORDS, A_HALF = ROWS * DWORDS, B_HALF = DWORDS * COLS };

/* s0 or s1 of all elements of the tile, from dword 0 of a and b on. */
INLINE void half_sums(const uint32_t *a, const uint32_t *b, vec x[ROWS], vec y[ROWS]) {
    UNROLL for (int i = 0; i < ROWS; i++) x[i] = y[i] = none();
    for (int j = 0; j < DWORDS / 2; j++, b += COLS) {
        const whole left = load_pairs(b), right = load_pairs(b + WIDTH);
        UNROLL for (int i = 0; i < ROWS; i++) {
            const uint32_t pair = a[i * DWORDS + j];
            const vec first = all(pair & 0xffff0000u), second = all(pair << 16);
            x[i] = fused(second, lower(left), fused(first, upper(left), x[i]));
            y[i] = fused(second, lower(right), fused(first, upper(right), y[i]));
        }
    }
}

/* Not inlined, so that no operation moves out from between the two settings of the control register. */
static __attribute__((noinline)) void multiply_flushing(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile) {
    vec x[ROWS], y[ROWS], u[ROWS], v[ROWS];
    for (int64_t block = 0; block < blocks; block++, a += 2 * A_HALF, b += 2 * B_HALF)
        for (int part = 0; part < 3; part++) { /* hi hi, hi lo, lo hi */
            const uint32_t *left = a + (part == 2 ? A_HALF : 0), *right = b + (part == 1 ? B_HALF : 0);
            half_sums(left, right, x, y);
            half_sums(left + DWORDS / 2, right + DWORDS / 2 * COLS, u, v);
            for (int i = 0; i < ROWS; i++) {
                float *to = tile + i * COLS;
                store(to, plus(load(to), plus(x[i], u[i])));
                store(to + WIDTH, plus(load(to + WIDTH), plus(y[i], v[i])));
            }
        }
}

static void bf16x3_multiply(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile, bool first) {
    enum { FLUSH = 0x8040 }; /* results, and operands */
    const unsigned before = _mm_getcsr();
    if (first) memset(tile, 0, (size_t)ROWS * COLS * sizeof *tile);
    _mm_setcsr(before | FLUSH);
    multiply_flushing(blocks, a, b, tile);
    _mm_setcsr(before);
}

const vb_bf16x3_kernel VB_BF16X3_KERNEL = {.name = VB_BF16X3_WORD,
                                           .rows = ROWS,
                                           .fp32 = &VB_BF16X3_FP32,
                                           .pack_a = bf16x3_pack_a,
                                           .pack_b = bf16x3_pack_b,
                                           .multiply = bf16x3_multiply};

#endif
