/* Inner products of 8-bit codes without VNNI, written once on registers and compiled for AVX2 and AVX-512. Products of 8 bits are
 * added in pairs to 16 bits, which saturate beyond 2^15 - 1: so queries have codes of 7 bits here, and 2 * 255 * 63 fits.
 *
 * Internal. Defines the table VB_CODED_KERNEL; the including file sets that name and VB_LANES (512 or 256). */
#ifndef VB_CODED_LANES_H
#define VB_CODED_LANES_H

#include <assert.h>
#include <immintrin.h>
#include <string.h>

#include "kernels/search/coded_kernel.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
enum { STEP = 4 * VB_CODER_GROUP /* bytes of a group that hold the same four columns */ };

/* A register holds four codes of HELD rows, and their sums. A tile is PARTS such registers, a group, times up to QUERIES. */
#if VB_LANES == 512
#include "kernels/search/coded_screen_avx512.h"

enum { QUERIES = 12 };
#define EACH_QUERY(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
typedef __m512i vec;
INLINE vec all(int32_t x) { return _mm512_set1_epi32(x); }
INLINE vec load(const uint8_t *x) { return _mm512_loadu_si512(x); }
INLINE void store(int32_t *out, vec x) { _mm512_storeu_si512(out, x); }
INLINE vec add(vec a, vec b) { return _mm512_add_epi32(a, b); }
INLINE vec pairs(vec x, vec y) { return _mm512_maddubs_epi16(x, y); }
INLINE vec fours(vec x) { return _mm512_madd_epi16(x, _mm512_set1_epi16(1)); }
#else
enum { QUERIES = 4 };
#define EACH_QUERY(DO) DO(0) DO(1) DO(2) DO(3)
typedef __m256i vec;
INLINE vec all(int32_t x) { return _mm256_set1_epi32(x); }
INLINE vec load(const uint8_t *x) { return _mm256_loadu_si256((const __m256i *)(const void *)x); }
INLINE void store(int32_t *out, vec x) { _mm256_storeu_si256((__m256i *)(void *)out, x); }
INLINE vec add(vec a, vec b) { return _mm256_add_epi32(a, b); }
INLINE vec pairs(vec x, vec y) { return _mm256_maddubs_epi16(x, y); }
INLINE vec fours(vec x) { return _mm256_madd_epi16(x, _mm256_set1_epi16(1)); }

static unsigned coded_screen(const int32_t *products, const float *numbers, int queries, const float *alpha, const float *beta,
                             const float *thresholds, uint16_t *pass) {
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
#endif
enum { HELD = VB_LANES / 32, PARTS = VB_CODER_GROUP / HELD };

INLINE int32_t four_codes(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return four;
}

/* n is a constant wherever this is expanded. y: the first query's four codes, the next four columns `apart` codes further on.
 * ahead: how far behind x lies what is wanted soon. */
INLINE void tile(const int n, const uint8_t *x, const int8_t *y, int64_t apart, const int32_t *offsets, int width,
                 ptrdiff_t ahead, int32_t *out) {
    vec sum[QUERIES][PARTS];
    UNROLL for (int q = 0; q < QUERIES; q++) UNROLL for (int p = 0; p < PARTS; p++) sum[q][p] = all(q < n ? -offsets[q] : 0);
    for (int k = 0; k < width; k += 4, x += STEP, y += apart) {
        vec part[PARTS];
        if (n > 1) _mm_prefetch(x + ahead, _MM_HINT_T1);
        UNROLL for (int p = 0; p < PARTS; p++) part[p] = load(x + 4 * HELD * p);
        UNROLL for (int q = 0; q < QUERIES; q++) if (q < n) {
            vec yq = all(four_codes(y + 4 * q));
            UNROLL for (int p = 0; p < PARTS; p++) sum[q][p] = add(sum[q][p], fours(pairs(part[p], yq)));
        }
    }
    UNROLL for (int q = 0; q < QUERIES; q++) if (q < n) UNROLL for (int p = 0; p < PARTS; p++)
        store(out + q * VB_CODED_PAIR + HELD * p, sum[q][p]);
}

static void tile_of(int n, const uint8_t *x, const int8_t *y, int64_t apart, const int32_t *offsets, int width, ptrdiff_t ahead,
                    int32_t *out) {
    switch (n) {
#define CASE(q)                                                                                                                  \
    case q + 1: tile(q + 1, x, y, apart, offsets, width, ahead, out); break;
        EACH_QUERY(CASE)
    default: break;
    }
}

/* The next pair is asked for while the first queries are multiplied with this one. A single query reads one group after the
 * other, which the processor foresees better than it can be told. */
static void coded_products(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries,
                           const int32_t *offsets, int width, int32_t *out) {
    int tiles = (queries + QUERIES - 1) / QUERIES;
    for (int g = 0; g < groups; g++)
        for (int t = 0; t < tiles; t++) {
            int q = queries * t / tiles, n = queries * (t + 1) / tiles - q; /* of one size, as far as they can be */
            tile_of(n, codes + (size_t)g * stride, panel + 4 * q, 4 * queries, offsets + q, width, t ? 0 : 2 * (ptrdiff_t)stride,
                    out + q * VB_CODED_PAIR + g * VB_CODER_GROUP);
        }
}

enum { MOST = 63 };
static_assert(2 * 255 * MOST <= INT16_MAX, "pairs of products do not saturate");

const vb_coded_kernel VB_CODED_KERNEL = {.most = MOST, .products = coded_products, .screen = coded_screen};

#endif
