/* Cutting floats into pairs of bf16, for each instruction set: the including file says FIRST(j) and SECOND(j), which values of a
 * block stand in the high and in the low half of dword j, ROWS and COLS. */
#ifndef VB_BF16X3_PACK_H
#define VB_BF16X3_PACK_H

#include <string.h>

#include "kernels/matrix/bf16x3_kernel.h"

/* hi and lo of x, as the upper halves of floats. */
static inline uint32_t bf16x3_round(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t exponent = bits & 0x7f800000u, rounded = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
    const uint32_t nan = (bits & 0x007fffffu) ? 0x7fc00000u : bits;
    return exponent == 0 ? bits & 0x80000000u : exponent == 0x7f800000u ? nan : rounded;
}
static inline uint32_t bf16x3_rest(float x, uint32_t hi) {
    float high;
    memcpy(&high, &hi, sizeof high);
    return bf16x3_round(x - high);
}

static inline void bf16x3_pair(float first, float second, uint32_t *hi, uint32_t *lo) {
    const uint32_t h0 = bf16x3_round(first), h1 = bf16x3_round(second);
    *hi = h0 | h1 >> 16;
    *lo = bf16x3_rest(first, h0) | bf16x3_rest(second, h1) >> 16;
}

static void bf16x3_pack_a(const float *x, int m, int64_t blocks, uint32_t *out) {
    enum { HALF = ROWS * VB_BF16X3_DWORDS };
    for (int64_t block = 0; block < blocks; block++, x += VB_BF16X3_BLOCK, out += 2 * HALF) {
        for (int i = 0; i < m; i++) {
            const float *row = x + i * VB_GEMM_DEPTH;
            uint32_t *to = out + i * VB_BF16X3_DWORDS;
#pragma omp simd
            for (int j = 0; j < VB_BF16X3_DWORDS; j++) bf16x3_pair(row[FIRST(j)], row[SECOND(j)], to + j, to + HALF + j);
        }
        for (int half = 0; half < 2; half++)
            memset(out + half * HALF + m * VB_BF16X3_DWORDS, 0, (size_t)(ROWS - m) * VB_BF16X3_DWORDS * sizeof *out);
    }
}

static void bf16x3_pack_b(const float *x, int64_t blocks, uint32_t *out) {
    enum { HALF = VB_BF16X3_DWORDS * COLS };
    for (int64_t block = 0; block < blocks; block++, x += VB_BF16X3_BLOCK * COLS, out += 2 * HALF)
        for (int j = 0; j < VB_BF16X3_DWORDS; j++) {
            const float *first = x + FIRST(j) * COLS, *second = x + SECOND(j) * COLS;
            uint32_t *to = out + j * COLS;
#pragma omp simd
            for (int c = 0; c < COLS; c++) bf16x3_pair(first[c], second[c], to + c, to + HALF + c);
        }
}

#endif
