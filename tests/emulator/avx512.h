/* AVX-512 in AVX2: included in front of a kernel's source (gcc -include) for processors that lack it, so that the source runs in
 * tests anywhere, as it stands. Most of it is SIMDe (Debian's libsimde-dev, 0.7.4), whose macros take the place of the compiler's
 * intrinsics; what SIMDe lacks, or rounds twice, follows here after Intel's Intrinsics Guide: lane by lane, or AVX2 a half. */
#ifndef VB_EMULATOR_AVX512_H
#define VB_EMULATOR_AVX512_H

#define VB_AVX512_EMULATED

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#define SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_NO_INLINE /* a tile of 28 registers inlined takes GCC many minutes */
#include <simde/x86/avx512.h>
#pragma GCC diagnostic pop

#include <math.h>
#include <string.h>

typedef union emulator_wide {
    __m512 floats;
    __m512i integers;
    __m512d doubles;
    __m512bh brains;
    __m256 float_half[2];
    __m256i integer_half[2];
    __m256d double_half[2];
    float f[16];
    int32_t i[16];
    uint16_t h[32];
} emulator_wide;

#define EMULATED static __attribute__((unused))

/* ---- masks in memory: what is masked out is not touched ---------------------------------------------------------- */

#define _mm512_maskz_loadu_ps emulator_maskz_loadu_ps
EMULATED __m512 emulator_maskz_loadu_ps(__mmask16 mask, const void *at) {
    emulator_wide r = {.i = {0}};
    for (int n = 0; n < 16; n++)
        if (mask >> n & 1) memcpy(&r.f[n], (const float *)at + n, sizeof(float));
    return r.floats;
}

#define _mm512_maskz_loadu_epi32 emulator_maskz_loadu_epi32
EMULATED __m512i emulator_maskz_loadu_epi32(__mmask16 mask, const void *at) {
    return ((emulator_wide){.floats = emulator_maskz_loadu_ps(mask, at)}).integers;
}

#define _mm256_maskz_loadu_epi16 emulator_maskz_loadu_epi16
EMULATED __m256i emulator_maskz_loadu_epi16(__mmask16 mask, const void *at) {
    emulator_wide r = {.i = {0}};
    for (int n = 0; n < 16; n++)
        if (mask >> n & 1) memcpy(&r.h[n], (const uint16_t *)at + n, sizeof(uint16_t));
    return r.integer_half[0];
}

#define _mm512_mask_storeu_ps emulator_mask_storeu_ps
EMULATED void emulator_mask_storeu_ps(void *at, __mmask16 mask, __m512 x) {
    emulator_wide r = {.floats = x};
    for (int n = 0; n < 16; n++)
        if (mask >> n & 1) memcpy((float *)at + n, &r.f[n], sizeof(float));
}

#define _mm_mask_storeu_ps emulator_mask_storeu_4_ps
EMULATED void emulator_mask_storeu_4_ps(void *at, __mmask8 mask, __m128 x) {
    float f[4];
    _mm_storeu_ps(f, x);
    for (int n = 0; n < 4; n++)
        if (mask >> n & 1) memcpy((float *)at + n, &f[n], sizeof(float));
}

/* ---- conversions ------------------------------------------------------------------------------------------------- */

#define _mm512_cvtph_ps emulator_cvtph_ps
EMULATED __m512 emulator_cvtph_ps(__m256i x) {
    return ((emulator_wide){
                .float_half = {_mm256_cvtph_ps(_mm256_castsi256_si128(x)), _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1))}})
        .floats;
}

#define _mm512_cvtepu16_epi32 emulator_cvtepu16_epi32
EMULATED __m512i emulator_cvtepu16_epi32(__m256i x) {
    return ((emulator_wide){.integer_half = {_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x)),
                                             _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1))}})
        .integers;
}

#define _mm512_cvtps_pd emulator_cvtps_pd
EMULATED __m512d emulator_cvtps_pd(__m256 x) {
    return ((emulator_wide){
                .double_half = {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))}})
        .doubles;
}

#define _mm512_cvtepi32_ps emulator_cvtepi32_ps
EMULATED __m512 emulator_cvtepi32_ps(__m512i x) {
    emulator_wide r = {.integers = x};
    for (int n = 0; n < 2; n++) r.float_half[n] = _mm256_cvtepi32_ps(r.integer_half[n]);
    return r.floats;
}

#define _mm512_cvtps_epi32 emulator_cvtps_epi32
EMULATED __m512i emulator_cvtps_epi32(__m512 x) {
    emulator_wide r = {.floats = x};
    for (int n = 0; n < 2; n++) r.integer_half[n] = _mm256_cvtps_epi32(r.float_half[n]);
    return r.integers;
}

/* x * 2^floor(y), rounded once: in double every step but the last is exact. */
#undef _mm512_scalef_ps
#define _mm512_scalef_ps emulator_scalef_ps
EMULATED __m512 emulator_scalef_ps(__m512 x, __m512 y) {
    emulator_wide r = {.floats = x}, power = {.floats = y};
    for (int n = 0; n < 16; n++) {
        uint64_t bits = (uint64_t)(1023 + (int)fmaxf(-300, fminf(300, floorf(power.f[n])))) << 52;
        double scale;
        memcpy(&scale, &bits, sizeof scale);
        r.f[n] = isnan(power.f[n]) ? power.f[n] : (float)((double)r.f[n] * scale);
    }
    return r.floats;
}

/* SIMDe keeps the sign of -0. */
#undef _mm512_abs_ps
#define _mm512_abs_ps emulator_abs_ps
EMULATED __m512 emulator_abs_ps(__m512 x) {
    emulator_wide r = {.floats = x};
    for (int n = 0; n < 16; n++) r.f[n] = fabsf(r.f[n]);
    return r.floats;
}

/* SIMDe 0.7.4 has a macro of four arguments there. */
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

/* The product of the pair's high halves is added, and rounded, then that of the low ones; denormal operands and results are
 * zeros, whatever the control register says. */
#undef _mm512_dpbf16_ps
#define _mm512_dpbf16_ps emulator_dpbf16_ps
EMULATED __m512 emulator_dpbf16_ps(__m512 sum, __m512bh x, __m512bh y) {
    emulator_wide r = {.floats = sum}, a = {.brains = x}, b = {.brains = y};
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    for (int n = 0; n < 2; n++) { /* volatile: nothing is computed before this setting, or after it */
        volatile __m256i high = _mm256_set1_epi32((int)0xffff0000);
        const __m256 late_a = _mm256_castsi256_ps(_mm256_and_si256(a.integer_half[n], high)),
                     late_b = _mm256_castsi256_ps(_mm256_and_si256(b.integer_half[n], high)),
                     early_a = _mm256_castsi256_ps(_mm256_slli_epi32(a.integer_half[n], 16)),
                     early_b = _mm256_castsi256_ps(_mm256_slli_epi32(b.integer_half[n], 16));
        volatile __m256 half = _mm256_fmadd_ps(early_a, early_b, _mm256_fmadd_ps(late_a, late_b, r.float_half[n]));
        r.float_half[n] = half;
    }
    _mm_setcsr(before);
    return r.floats;
}

/* ---- within a register ------------------------------------------------------------------------------------------- */

#define _mm512_mask_cmp_ps_mask(mask, x, y, how) ((__mmask16)((mask)&_mm512_cmp_ps_mask(x, y, how)))
#define _mm512_extractf32x8_ps(x, half) (((emulator_wide){.floats = (x)}).float_half[half])
#define _mm512_permute_ps(x, order)                                                                                              \
    (((emulator_wide){.float_half = {_mm256_permute_ps(_mm512_extractf32x8_ps(x, 0), order),                                     \
                                     _mm256_permute_ps(_mm512_extractf32x8_ps(x, 1), order)}})                                   \
         .floats)

/* Halves upon halves, as GCC has them: the order is part of a sum. */
#define EMULATOR_REDUCE(name, vector, type, member, expression)                                                                  \
    EMULATED type name(vector x) {                                                                                               \
        emulator_wide r;                                                                                                         \
        memcpy(&r, &x, sizeof r);                                                                                                \
        for (int half = 8; half; half /= 2)                                                                                      \
            for (int n = 0; n < half; n++) {                                                                                     \
                type a = r.member[n], b = r.member[n + half];                                                                    \
                r.member[n] = expression;                                                                                        \
            }                                                                                                                    \
        return r.member[0];                                                                                                      \
    }
EMULATOR_REDUCE(emulator_reduce_add_ps, __m512, float, f, a + b)
EMULATOR_REDUCE(emulator_reduce_min_ps, __m512, float, f, a < b ? a : b)
EMULATOR_REDUCE(emulator_reduce_max_ps, __m512, float, f, a > b ? a : b)
EMULATOR_REDUCE(emulator_reduce_add_epi32, __m512i, int32_t, i, a + b)
#undef EMULATOR_REDUCE
#define _mm512_reduce_add_ps emulator_reduce_add_ps
#define _mm512_reduce_min_ps emulator_reduce_min_ps
#define _mm512_reduce_max_ps emulator_reduce_max_ps
#define _mm512_reduce_add_epi32 emulator_reduce_add_epi32

#endif
