/* The inner loops of the resampling in AVX2: integer sums, so the same bits as resize_scalar.c in any order. */
#include "kernels/image/resize_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

/* Four sums to four bytes. */
static inline uint32_t clip4(__m128i sum) {
    __m128i level = _mm_srai_epi32(sum, VB_RESIZE_FRACTION);
    level = _mm_packs_epi32(level, level);
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(level, level));
}

static inline __attribute__((always_inline)) __m128i one_pixel(const uint8_t *pixel, int32_t weight, int channels) {
    int32_t levels = 0;
    memcpy(&levels, pixel, (size_t)channels);
    return _mm_mullo_epi32(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(levels)), _mm_set1_epi32(weight));
}

/* Four pixels a step: pairs of a channel's levels times pairs of halved weights, high and low, whose sums are exact and join to
 * those of whole weights, modulo 2^32. RGB leaves the fourth lane of each half unused. All outputs take span / 4 steps, the
 * surplus with weight zero: a loop of one length is worth more than the steps saved. Where 16 bytes a step would pass the end of
 * the row, single pixels. */
static inline __attribute__((always_inline)) void row(uint8_t *out, const uint8_t *in, const vb_resize_axis *axis, int channels) {
    const uint8_t *end = in + (size_t)axis->inputs * (size_t)channels;
    const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i pairs = channels == 3 ? _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, /* 0 and 1 */
                                                           6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1) :
                                          _mm256_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1, /* 2 and 3 */
                                                           8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1);
    const ptrdiff_t reach = (ptrdiff_t)axis->span * channels + 16 - VB_RESIZE_STEP * channels;
    for (int i = 0; i < axis->outputs; i++, out += channels) {
        const size_t at = (size_t)i * (size_t)axis->span;
        const uint8_t *pixel = in + (size_t)axis->first[i] * (size_t)channels;
        __m128i sum = _mm_set1_epi32(VB_RESIZE_HALF);
        if (end - pixel >= reach) {
            const int16_t *high = axis->high + at, *low = axis->low + at;
            __m256i highs = _mm256_setzero_si256(), lows = highs;
            for (int j = 0; j < axis->span; j += VB_RESIZE_STEP, pixel += VB_RESIZE_STEP * channels) {
                const __m128i four = _mm_loadu_si128((const __m128i *)(const void *)pixel);
                const __m256i levels = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), pairs);
                const __m256i h = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)(high + j)));
                const __m256i l = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(const void *)(low + j)));
                highs = _mm256_add_epi32(highs, _mm256_madd_epi16(levels, _mm256_permutevar8x32_epi32(h, spread)));
                lows = _mm256_add_epi32(lows, _mm256_madd_epi16(levels, _mm256_permutevar8x32_epi32(l, spread)));
            }
            const __m256i both = _mm256_add_epi32(_mm256_slli_epi32(highs, VB_RESIZE_LOW), lows);
            sum = _mm_add_epi32(sum, _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)));
        } else {
            const int32_t *weight = axis->fixed + at;
            for (int j = 0; j < axis->count[i]; j++, pixel += channels)
                sum = _mm_add_epi32(sum, one_pixel(pixel, weight[j], channels));
        }
        uint32_t bytes = clip4(sum);
        memcpy(out, &bytes, (size_t)channels);
    }
}

static void resize_horizontal_avx2(uint8_t *out, const uint8_t *in, const vb_resize_axis *axis, int channels) {
    if (channels == 4) row(out, in, axis, 4);
    else if (channels == 3) row(out, in, axis, 3);
    else vb_resize_kernel_scalar.horizontal(out, in, axis, channels);
}

static void resize_vertical_avx2(uint8_t *out, const uint8_t *in, size_t stride, size_t bytes, const int32_t *weight, int count) {
    const __m256i half = _mm256_set1_epi32(VB_RESIZE_HALF);
    size_t at = 0;
    for (; at + 32 <= bytes; at += 32) {
        __m256i sum[4] = {half, half, half, half};
        for (int j = 0; j < count; j++) {
            const uint8_t *row_j = in + at + (size_t)j * stride;
            __m256i w = _mm256_set1_epi32(weight[j]);
            for (int k = 0; k < 4; k++) {
                __m256i levels = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(row_j + 8 * k)));
                sum[k] = _mm256_add_epi32(sum[k], _mm256_mullo_epi32(levels, w));
            }
        }
        for (int k = 0; k < 4; k++) {
            uint32_t low = clip4(_mm256_castsi256_si128(sum[k])), high = clip4(_mm256_extracti128_si256(sum[k], 1));
            memcpy(out + at + 8 * k, &low, 4);
            memcpy(out + at + 8 * k + 4, &high, 4);
        }
    }
    for (; at < bytes; at++) {
        int32_t sum = VB_RESIZE_HALF;
        for (int j = 0; j < count; j++) sum += in[at + (size_t)j * stride] * weight[j];
        out[at] = vb_resize_kernel_clip(sum);
    }
}

const vb_resize_kernel vb_resize_kernel_avx2 = {.horizontal = resize_horizontal_avx2, .vertical = resize_vertical_avx2};
#else
typedef int vb_no_avx2_here; /* ISO C wants a declaration in every file */
#endif
