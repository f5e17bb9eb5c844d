/* Inner products of 8-bit codes for AVX2: codes widened to 16 bits, for sums of pairs of 8-bit products would saturate. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels/search/coded_kernel.h"

static void one_group(const uint8_t *x, const int8_t *panel, int queries, int q, int32_t offset, int width, int32_t *out) {
    __m256i sum[4]; /* of 4 rows each, two halves a row */
    for (int i = 0; i < 4; i++) sum[i] = _mm256_setzero_si256();
    for (int k = 0; k < width; k += 4, x += 64) {
        int32_t four;
        memcpy(&four, panel + (k / 4 * queries + q) * 4, sizeof four);
        __m256i y = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(x + 16 * i)));
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(wide, y));
        }
    }
    for (int i = 0; i < 4; i += 2) {
        __m256i joined = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[i], sum[i + 1]), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(out + 4 * i), _mm256_sub_epi32(joined, _mm256_set1_epi32(offset)));
    }
}

static void coded_products_avx2(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries,
                                const int32_t *offsets, int width, int32_t *out) {
    for (int g = 0; g < groups; g++)
        for (int q = 0; q < queries; q++)
            one_group(codes + (size_t)g * stride, panel, queries, q, offsets[q], width,
                      out + q * VB_CODED_PAIR + g * VB_CODER_GROUP);
}

static unsigned coded_screen_avx2(const int32_t *products, const float *numbers, int queries, const float *alpha,
                                  const float *beta, const float *thresholds, uint16_t *pass) {
    unsigned any = 0;
    for (int q = 0; q < queries; q++) {
        unsigned bits = 0;
        for (int i = 0; i < VB_CODER_GROUP; i += 8) {
            __m256 dot =
                _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(const void *)(products + q * VB_CODED_PAIR + i)));
            __m256 bound = _mm256_mul_ps(_mm256_set1_ps(alpha[q]), _mm256_loadu_ps(numbers + VB_CODER_GROUP + i));
            bound = _mm256_fmadd_ps(_mm256_set1_ps(beta[q]), _mm256_loadu_ps(numbers + 2 * VB_CODER_GROUP + i), bound);
            __m256 upper = _mm256_fmadd_ps(_mm256_loadu_ps(numbers + i), dot, bound);
            bits |= (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(thresholds[q]), _CMP_GE_OQ)) << i;
        }
        pass[q] = (uint16_t)bits;
        any |= bits;
    }
    return any;
}

const vb_coded_kernel vb_coded_kernel_avx2 = {.products = coded_products_avx2, .screen = coded_screen_avx2};
#else
typedef int vb_no_avx2_here;
#endif
