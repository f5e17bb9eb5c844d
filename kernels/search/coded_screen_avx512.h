/* The screen of coded rows, for files that are compiled for AVX-512: a group's rows are the lanes of a register. */
#ifndef VB_CODED_SCREEN_AVX512_H
#define VB_CODED_SCREEN_AVX512_H

#include <immintrin.h>

#include "kernels/search/coded_kernel.h"

static unsigned coded_screen(const int32_t *products, const float *numbers, int queries, const float *alpha, const float *beta,
                             const float *thresholds, uint16_t *pass) {
    __m512 scale = _mm512_loadu_ps(numbers), residual = _mm512_loadu_ps(numbers + VB_CODER_GROUP),
           norm = _mm512_loadu_ps(numbers + 2 * VB_CODER_GROUP);
    unsigned any = 0;
    for (int q = 0; q < queries; q++) {
        __m512 dot = _mm512_cvtepi32_ps(_mm512_loadu_si512(products + q * VB_CODED_PAIR));
        __m512 bound = _mm512_mul_ps(_mm512_set1_ps(alpha[q]), residual);
        bound = _mm512_fmadd_ps(_mm512_set1_ps(beta[q]), norm, bound);
        pass[q] = _mm512_cmp_ps_mask(_mm512_fmadd_ps(scale, dot, bound), _mm512_set1_ps(thresholds[q]), _CMP_GE_OQ);
        any |= pass[q];
    }
    return any;
}

#endif
