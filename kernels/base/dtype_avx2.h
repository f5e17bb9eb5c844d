/* Widening of fp32, fp16 and bf16 to lanes of float, for files compiled for AVX2 with F16C. Same values as vb_dtype_widen. */
#ifndef VB_DTYPE_AVX2_H
#define VB_DTYPE_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/dtype.h"

/* The first n <= 8 elements (none when n < 1), zeros behind; nothing beyond them is read. */
static inline __attribute__((always_inline)) __m256 vb_dtype_avx2_load(const void *at, vb_dtype dtype, int64_t n) {
    char all[32] = {0};
    const char *p = at;
    if (n < 8) {
        if (n > 0) memcpy(all, p, (size_t)n * (dtype == VB_F32 ? 4 : 2));
        p = all;
    }
    if (dtype == VB_F32) return _mm256_loadu_ps((const float *)(const void *)p);
    __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)p);
    if (dtype == VB_F16) return _mm256_cvtph_ps(halves);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

#endif
