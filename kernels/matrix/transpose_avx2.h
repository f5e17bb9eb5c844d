/* Eight registers of floats, the rows of a matrix, to its columns; for files that are compiled for AVX2. */
#ifndef VB_TRANSPOSE_AVX2_H
#define VB_TRANSPOSE_AVX2_H

#include <immintrin.h>

/* r[i] lane j becomes r[j] lane i. */
static inline __attribute__((always_inline)) void vb_transpose_avx2(__m256 r[8]) {
    __m256 t[8], u[8];
    _Pragma("GCC unroll 8") for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    _Pragma("GCC unroll 8") for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    _Pragma("GCC unroll 8") for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
        r[4 + i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
    }
}

#endif
