/* Widening of fp32, fp16 and bf16 to lanes of float, for files compiled for AVX-512. Same values as vb_dtype_widen. */
#ifndef VB_DTYPE_AVX512_H
#define VB_DTYPE_AVX512_H

#include <immintrin.h>

#include "kernels/base/dtype.h"

/* The elements under the mask, zeros elsewhere; nothing but them is read. */
static inline __attribute__((always_inline)) __m512 vb_dtype_avx512_load(const void *at, vb_dtype dtype, __mmask16 mask) {
    if (dtype == VB_F32) return _mm512_maskz_loadu_ps(mask, at);
    __m256i halves = _mm256_maskz_loadu_epi16(mask, at);
    if (dtype == VB_F16) return _mm512_cvtph_ps(halves);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

#endif
