/* Sixteen floats side by side, as one AVX-512 register, two AVX registers or a plain array: one notation for all three.
 *
 * Internal. Whoever includes it says which by VB_LANES (512, 256 or 1). Every operation is one correctly rounded IEEE operation a
 * lane, and none but lanes_swap mixes lanes, so what is written in this notation gives the same bits at every level. */
#ifndef VB_LANES_H
#define VB_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16 };
#if VB_LANES == 1 /* arrays: the compiler takes most of a minute for some files when all of it is inlined */
#define LANES_FUNCTION static __attribute__((unused))
#else
#define LANES_FUNCTION static inline __attribute__((always_inline, unused))
#endif

/* Adding this to |x| < 2^22 rounds x to an integer, which then lies in the low bits. */
#define LANES_MAGIC 12582912.0f
#define LANES_MAGIC_BITS 0x4b400000

#if VB_LANES == 512
#include <immintrin.h>

typedef __m512 lanes;
LANES_FUNCTION lanes lanes_all(float x) { return _mm512_set1_ps(x); }
LANES_FUNCTION lanes lanes_load(const float *p) { return _mm512_loadu_ps(p); }
LANES_FUNCTION void lanes_store(float *p, lanes x) { _mm512_storeu_ps(p, x); }
LANES_FUNCTION __mmask16 lanes_mask(int n) { return (__mmask16)((1u << n) - 1); }
LANES_FUNCTION lanes lanes_load_part(const float *p, int n) { return _mm512_maskz_loadu_ps(lanes_mask(n), p); }
LANES_FUNCTION void lanes_store_part(float *p, lanes x, int n) { _mm512_mask_storeu_ps(p, lanes_mask(n), x); }
LANES_FUNCTION lanes lanes_add(lanes x, lanes y) { return _mm512_add_ps(x, y); }
LANES_FUNCTION lanes lanes_sub(lanes x, lanes y) { return _mm512_sub_ps(x, y); }
LANES_FUNCTION lanes lanes_mul(lanes x, lanes y) { return _mm512_mul_ps(x, y); }
LANES_FUNCTION lanes lanes_div(lanes x, lanes y) { return _mm512_div_ps(x, y); }
LANES_FUNCTION lanes lanes_fma(lanes x, lanes y, lanes z) { return _mm512_fmadd_ps(x, y, z); }
LANES_FUNCTION lanes lanes_abs(lanes x) { return _mm512_abs_ps(x); }
LANES_FUNCTION lanes lanes_max(lanes x, lanes y) { return _mm512_max_ps(x, y); }
LANES_FUNCTION lanes lanes_min(lanes x, lanes y) { return _mm512_min_ps(x, y); }
LANES_FUNCTION lanes lanes_swap(lanes x) { return _mm512_permute_ps(x, 0xb1); }
LANES_FUNCTION lanes lanes_if_less(lanes x, lanes y, lanes then, lanes otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_LT_OQ), otherwise, then);
}
LANES_FUNCTION lanes lanes_scale(lanes x, lanes t) { return _mm512_scalef_ps(x, _mm512_sub_ps(t, _mm512_set1_ps(LANES_MAGIC))); }

#elif VB_LANES == 256
#include <immintrin.h>

typedef struct lanes {
    __m256 a, b;
} lanes;
LANES_FUNCTION lanes lanes_all(float x) { return (lanes){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
LANES_FUNCTION lanes lanes_load(const float *p) { return (lanes){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
LANES_FUNCTION void lanes_store(float *p, lanes x) { _mm256_storeu_ps(p, x.a), _mm256_storeu_ps(p + 8, x.b); }
LANES_FUNCTION lanes lanes_load_part(const float *p, int n) {
    float all[LANES] = {0};
    memcpy(all, p, (size_t)n * sizeof *p);
    return lanes_load(all);
}
LANES_FUNCTION void lanes_store_part(float *p, lanes x, int n) {
    float all[LANES];
    lanes_store(all, x);
    memcpy(p, all, (size_t)n * sizeof *p);
}
#define LANES_PAIRS(name, operation)                                                                                             \
    LANES_FUNCTION lanes name(lanes x, lanes y) { return (lanes){operation(x.a, y.a), operation(x.b, y.b)}; }
LANES_PAIRS(lanes_add, _mm256_add_ps)
LANES_PAIRS(lanes_sub, _mm256_sub_ps)
LANES_PAIRS(lanes_mul, _mm256_mul_ps)
LANES_PAIRS(lanes_div, _mm256_div_ps)
LANES_PAIRS(lanes_max, _mm256_max_ps)
LANES_PAIRS(lanes_min, _mm256_min_ps)
#undef LANES_PAIRS
LANES_FUNCTION lanes lanes_fma(lanes x, lanes y, lanes z) {
    return (lanes){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
LANES_FUNCTION lanes lanes_abs(lanes x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (lanes){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
LANES_FUNCTION lanes lanes_swap(lanes x) { return (lanes){_mm256_permute_ps(x.a, 0xb1), _mm256_permute_ps(x.b, 0xb1)}; }
LANES_FUNCTION lanes lanes_if_less(lanes x, lanes y, lanes then, lanes otherwise) {
    return (lanes){_mm256_blendv_ps(otherwise.a, then.a, _mm256_cmp_ps(x.a, y.a, _CMP_LT_OQ)),
                   _mm256_blendv_ps(otherwise.b, then.b, _mm256_cmp_ps(x.b, y.b, _CMP_LT_OQ))};
}
LANES_FUNCTION __m256 lanes_scale_half(__m256 x, __m256 t) {
    __m256i n = _mm256_sub_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(LANES_MAGIC_BITS)), bias = _mm256_set1_epi32(127);
    __m256i half = _mm256_srai_epi32(n, 1), rest = _mm256_sub_epi32(n, half);
    x = _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}
LANES_FUNCTION lanes lanes_scale(lanes x, lanes t) { return (lanes){lanes_scale_half(x.a, t.a), lanes_scale_half(x.b, t.b)}; }
/* 2^(n + 100), which is exact, then 2^-100. What LANES_MAGIC adds to the bits is shifted out. */
LANES_FUNCTION __m256 lanes_scale_down_half(__m256 x, __m256 t) {
    __m256i power = _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t), 23), _mm256_set1_epi32((127 + 100) << 23));
    return _mm256_mul_ps(_mm256_mul_ps(x, _mm256_castsi256_ps(power)), _mm256_set1_ps(0x1p-100f));
}
LANES_FUNCTION lanes lanes_scale_down(lanes x, lanes t) {
    return (lanes){lanes_scale_down_half(x.a, t.a), lanes_scale_down_half(x.b, t.b)};
}

#else

typedef struct lanes {
    float at[LANES];
} lanes;
#define LANES_EACH(name, arguments, expression)                                                                                  \
    LANES_FUNCTION lanes name arguments {                                                                                        \
        lanes r;                                                                                                                 \
        for (int i = 0; i < LANES; i++) r.at[i] = expression;                                                                    \
        return r;                                                                                                                \
    }
LANES_EACH(lanes_all, (float x), x)
LANES_EACH(lanes_load, (const float *p), p[i])
LANES_EACH(lanes_load_part, (const float *p, int n), i < n ? p[i] : 0)
LANES_EACH(lanes_add, (lanes x, lanes y), x.at[i] + y.at[i])
LANES_EACH(lanes_sub, (lanes x, lanes y), x.at[i] - y.at[i])
LANES_EACH(lanes_mul, (lanes x, lanes y), x.at[i] * y.at[i])
LANES_EACH(lanes_div, (lanes x, lanes y), x.at[i] / y.at[i])
LANES_EACH(lanes_fma, (lanes x, lanes y, lanes z), fmaf(x.at[i], y.at[i], z.at[i]))
LANES_EACH(lanes_abs, (lanes x), fabsf(x.at[i]))
LANES_EACH(lanes_max, (lanes x, lanes y), x.at[i] > y.at[i] ? x.at[i] : y.at[i])
LANES_EACH(lanes_min, (lanes x, lanes y), x.at[i] < y.at[i] ? x.at[i] : y.at[i])
LANES_EACH(lanes_swap, (lanes x), x.at[i ^ 1])
LANES_EACH(lanes_if_less, (lanes x, lanes y, lanes then, lanes otherwise), x.at[i] < y.at[i] ? then.at[i] : otherwise.at[i])
#undef LANES_EACH
LANES_FUNCTION void lanes_store_part(float *p, lanes x, int n) { memcpy(p, x.at, (size_t)n * sizeof *p); }
LANES_FUNCTION void lanes_store(float *p, lanes x) { lanes_store_part(p, x, LANES); }
LANES_FUNCTION float lanes_power_of_two(int32_t n) {
    uint32_t bits = ((uint32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}
LANES_FUNCTION lanes lanes_scale(lanes x, lanes t) {
    for (int i = 0; i < LANES; i++) {
        uint32_t bits;
        memcpy(&bits, &t.at[i], sizeof bits);
        int32_t n = (int32_t)(bits - LANES_MAGIC_BITS), half = n >> 1;
        x.at[i] = x.at[i] * lanes_power_of_two(half) * lanes_power_of_two(n - half);
    }
    return x;
}
#endif

/* What the operations above mean where the name does not say it:
 * lanes_max(x, y) is x > y ? x : y, and lanes_min(x, y) is x < y ? x : y: a NaN in y passes through.
 * lanes_swap exchanges the two of each pair.
 * lanes_load_part reads n <= 16 floats, zeros follow; lanes_store_part writes n.
 * lanes_scale(x, t) is x * 2^n for t = LANES_MAGIC + n, |n| < 250, rounded once: in two steps, the first of which is exact.
 * lanes_scale_down(x, t) is the same for -220 < n <= 0 and |x| < 2^27, above 2^-6 unless n is 0, with fewer steps. */
#if VB_LANES != 256
LANES_FUNCTION lanes lanes_scale_down(lanes x, lanes t) { return lanes_scale(x, t); }
#endif

/* How many vectors with long chains of operations are worth computing side by side. */
#if VB_LANES == 512
enum { LANES_BESIDE = 4 };
#elif VB_LANES == 256
enum { LANES_BESIDE = 2 };
#else
enum { LANES_BESIDE = 1 };
#endif

/* The sum and the largest of the sixteen, halving: the order is part of every result. */
#if VB_LANES == 1
LANES_FUNCTION float lanes_sum(lanes x) {
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) x.at[i] += x.at[i + half];
    return x.at[0];
}
LANES_FUNCTION float lanes_largest(lanes x) {
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) x.at[i] = x.at[i] > x.at[i + half] ? x.at[i] : x.at[i + half];
    return x.at[0];
}
#else
#if VB_LANES == 512
LANES_FUNCTION __m256 lanes_low(lanes x) { return _mm512_castps512_ps256(x); }
LANES_FUNCTION __m256 lanes_high(lanes x) { return _mm512_extractf32x8_ps(x, 1); }
#else
LANES_FUNCTION __m256 lanes_low(lanes x) { return x.a; }
LANES_FUNCTION __m256 lanes_high(lanes x) { return x.b; }
#endif
#define LANES_HALVE(name, wide, narrow, last)                                                                                    \
    LANES_FUNCTION float name(lanes x) {                                                                                         \
        __m256 eight = wide(lanes_low(x), lanes_high(x));                                                                        \
        __m128 four = narrow(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));                                    \
        __m128 two = narrow(four, _mm_movehl_ps(four, four));                                                                    \
        return _mm_cvtss_f32(last(two, _mm_movehdup_ps(two)));                                                                   \
    }
LANES_HALVE(lanes_sum, _mm256_add_ps, _mm_add_ps, _mm_add_ss)
LANES_HALVE(lanes_largest, _mm256_max_ps, _mm_max_ps, _mm_max_ss)
#undef LANES_HALVE
#endif

#endif
