/* The product in three products of bf16 by AVX512-BF16: tiles of 6 x 32.
 *
 * VDPBF16PS adds the product of the pair's high halves to the sum, rounds, adds that of the low halves, and rounds again;
 * denormal operands and results are zeros. Source: Intel's Software Developer's Manual, volume 2C, VDPBF16PS; AMD's Zen 4 does
 * the same (tests/unit/kernels/test_bf16x3.c). */
#if defined(__x86_64__)
#include <immintrin.h>

enum { ROWS = 6, COLS = 32, WIDTH = 16 };
#define FIRST(j) (2 * (j))
#define SECOND(j) (2 * (j) + 1)
#include "kernels/matrix/bf16x3_pack.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
enum { DWORDS = VB_BF16X3_DWORDS, A_HALF = ROWS * DWORDS, B_HALF = DWORDS * COLS };

INLINE __m512bh pairs(const uint32_t *p) { return (__m512bh)_mm512_loadu_si512(p); }
INLINE __m512bh all(uint32_t pair) { return (__m512bh)_mm512_set1_epi32((int)pair); }

/* One of the three sums of a block. Named accumulators, which the compiler keeps in registers: x and y go to s0, u and v to
 * s1. */
INLINE void add_part(const uint32_t *a, const uint32_t *b, float *tile) {
#define BEGIN(i) __m512 x##i = _mm512_setzero_ps(), y##i = x##i, u##i = x##i, v##i = x##i;
    EACH_ROW(BEGIN)
    for (int j = 0; j < DWORDS / 2; j++, a++, b += COLS) {
        const uint32_t *later = b + DWORDS / 2 * COLS;
        const __m512bh b_x = pairs(b), b_y = pairs(b + WIDTH), b_u = pairs(later), b_v = pairs(later + WIDTH);
#define STEP(i)                                                                                                                  \
    const __m512bh early##i = all(a[i * DWORDS]), late##i = all(a[i * DWORDS + DWORDS / 2]);                                     \
    x##i = _mm512_dpbf16_ps(x##i, early##i, b_x);                                                                                \
    y##i = _mm512_dpbf16_ps(y##i, early##i, b_y);                                                                                \
    u##i = _mm512_dpbf16_ps(u##i, late##i, b_u);                                                                                 \
    v##i = _mm512_dpbf16_ps(v##i, late##i, b_v);
        EACH_ROW(STEP)
    }
#define END(i)                                                                                                                   \
    _mm512_storeu_ps(tile + i * COLS, _mm512_add_ps(_mm512_loadu_ps(tile + i * COLS), _mm512_add_ps(x##i, u##i)));               \
    _mm512_storeu_ps(tile + i * COLS + WIDTH, _mm512_add_ps(_mm512_loadu_ps(tile + i * COLS + WIDTH), _mm512_add_ps(y##i, v##i)));
    EACH_ROW(END)
}

/* Not inlined, so that no addition moves out from between the two settings of the control register. */
static __attribute__((noinline)) void multiply_flushing(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile) {
    for (int64_t block = 0; block < blocks; block++, a += 2 * A_HALF, b += 2 * B_HALF) {
        add_part(a, b, tile);
        add_part(a, b + B_HALF, tile);
        add_part(a + A_HALF, b, tile);
    }
}

static void bf16x3_multiply_bf16(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile, bool first) {
    enum { FLUSH = 0x8040 }; /* results, and operands, of the additions; the dot products do it anyway */
    const unsigned before = _mm_getcsr();
    if (first) memset(tile, 0, (size_t)ROWS * COLS * sizeof *tile);
    _mm_setcsr(before | FLUSH);
    multiply_flushing(blocks, a, b, tile);
    _mm_setcsr(before);
}

const vb_bf16x3_kernel vb_bf16x3_kernel_bf16 = {.name = "avx512_bf16",
                                                .native = true,
                                                .rows = ROWS,
                                                .fp32 = &vb_gemm_kernel_avx512,
                                                .pack_a = bf16x3_pack_a,
                                                .pack_b = bf16x3_pack_b,
                                                .multiply = bf16x3_multiply_bf16};
#else
typedef int vb_no_bf16_here;
#endif
