/* The fp64 inner products and Gaussian sums, written once on native vectors of doubles and compiled for every instruction set
 * level.
 *
 * Internal. Defines the table VB_DOTS_KERNEL; the including file sets that name and VB_LANES (512, 256 or 1). */
#ifndef VB_DOTS_LANES_H
#define VB_DOTS_LANES_H

#include <math.h>
#include <string.h>

#include "kernels/matrix/dots.h"
#include "kernels/matrix/dots_kernel.h"

#define INLINE static inline __attribute__((always_inline))

/* Adding this to |x| < 2^51 rounds x to an integer, which then lies in the low bits. */
#define MAGIC 0x1.8p52

#if VB_LANES == 512
#include <immintrin.h>
enum { WIDTH = 8, ROWS = 8 };
typedef __m512d vec;
INLINE vec all(double x) { return _mm512_set1_pd(x); }
INLINE vec load(const double *p) { return _mm512_loadu_pd(p); }
INLINE vec widen(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
INLINE void store(double *p, vec x) { _mm512_storeu_pd(p, x); }
INLINE vec add(vec x, vec y) { return _mm512_add_pd(x, y); }
INLINE vec sub(vec x, vec y) { return _mm512_sub_pd(x, y); }
INLINE vec mul(vec x, vec y) { return _mm512_mul_pd(x, y); }
INLINE vec fused(vec x, vec y, vec z) { return _mm512_fmadd_pd(x, y, z); }
INLINE vec larger(vec x, vec y) { return _mm512_max_pd(x, y); }
INLINE vec times_power(vec x, vec t) { /* x * 2^(t - MAGIC) */
    __m512i n = _mm512_sub_epi64(_mm512_castpd_si512(t), _mm512_castpd_si512(all(MAGIC)));
    return mul(x, _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_add_epi64(n, _mm512_set1_epi64(1023)), 52)));
}
#elif VB_LANES == 256
#include <immintrin.h>
enum { WIDTH = 4, ROWS = 4 };
typedef __m256d vec;
INLINE vec all(double x) { return _mm256_set1_pd(x); }
INLINE vec load(const double *p) { return _mm256_loadu_pd(p); }
INLINE vec widen(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
INLINE void store(double *p, vec x) { _mm256_storeu_pd(p, x); }
INLINE vec add(vec x, vec y) { return _mm256_add_pd(x, y); }
INLINE vec sub(vec x, vec y) { return _mm256_sub_pd(x, y); }
INLINE vec mul(vec x, vec y) { return _mm256_mul_pd(x, y); }
INLINE vec fused(vec x, vec y, vec z) { return _mm256_fmadd_pd(x, y, z); }
INLINE vec larger(vec x, vec y) { return _mm256_max_pd(x, y); }
INLINE vec times_power(vec x, vec t) {
    __m256i n = _mm256_sub_epi64(_mm256_castpd_si256(t), _mm256_castpd_si256(all(MAGIC)));
    return mul(x, _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_add_epi64(n, _mm256_set1_epi64x(1023)), 52)));
}
#else
enum { WIDTH = 1, ROWS = 4 };
typedef double vec;
INLINE vec all(double x) { return x; }
INLINE vec load(const double *p) { return *p; }
INLINE vec widen(const float *p) { return (double)*p; }
INLINE void store(double *p, vec x) { *p = x; }
INLINE vec add(vec x, vec y) { return x + y; }
INLINE vec sub(vec x, vec y) { return x - y; }
INLINE vec mul(vec x, vec y) { return x * y; }
INLINE vec fused(vec x, vec y, vec z) { return fma(x, y, z); }
INLINE vec larger(vec x, vec y) { return x > y ? x : y; }
INLINE vec times_power(vec x, vec t) {
    uint64_t bits, magic;
    double power, shift = MAGIC;
    memcpy(&bits, &t, sizeof bits);
    memcpy(&magic, &shift, sizeof magic);
    bits = (bits - magic + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    return x * power;
}
#endif

/* x y + z where x y is exact: fused or not is the same, and where fusing is a library call it is the slower way. */
INLINE vec exact_step(vec x, vec y, vec z) { return WIDTH == 1 ? add(mul(x, y), z) : fused(x, y, z); }

/* ROWS rows by three vectors: named accumulators, which the compiler keeps in registers. */
INLINE void multiply_tile(int64_t count, const double *a, const float *b, double *c, int64_t ldc, bool first) {
#if VB_LANES == 512
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#else
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3)
#endif
#define BEGIN(i) vec x##i = all(0), y##i = x##i, z##i = x##i;
    EACH_ROW(BEGIN)
    if (!first) {
#define RESUME(i) x##i = load(c + i * ldc), y##i = load(c + i * ldc + WIDTH), z##i = load(c + i * ldc + 2 * WIDTH);
        EACH_ROW(RESUME)
    }
    for (int64_t k = 0; k < count; k++, b += VB_DOTS_COLS, a++) {
        vec bx = widen(b), by = widen(b + WIDTH), bz = widen(b + 2 * WIDTH);
#define STEP(i)                                                                                                                  \
    {                                                                                                                            \
        vec ai = all(a[i * VB_DOTS_DEPTH]);                                                                                      \
        x##i = exact_step(ai, bx, x##i), y##i = exact_step(ai, by, y##i), z##i = exact_step(ai, bz, z##i);                       \
    }
        EACH_ROW(STEP)
    }
#define END(i) store(c + i * ldc, x##i), store(c + i * ldc + WIDTH, y##i), store(c + i * ldc + 2 * WIDTH, z##i);
    EACH_ROW(END)
}

static void dots_multiply(int64_t count, const double *a, const float *b, double *c, int64_t ldc, bool first) {
    for (int i = 0; i < VB_DOTS_ROWS; i += ROWS)
        for (int j = 0; j < VB_DOTS_COLS; j += 3 * WIDTH)
            multiply_tile(count, a + i * VB_DOTS_DEPTH, b + j, c + i * ldc + j, ldc, first);
}

/* exp(x) for -700 < x < 700: 2^n times the Taylor polynomial of degree 13 at |r| <= ln(2) / 2, whose remainder is below 5e-18. */
INLINE vec exp_of(vec x) {
    static const double coefficients[] = {
        1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1,           1};
    vec t = fused(x, all(0x1.71547652b82fep0), all(MAGIC)), n = sub(t, all(MAGIC));
    vec r = fused(n, all(-0x1.abc9e3b39803fp-56), fused(n, all(-0x1.62e42fefa39efp-1), x)); /* ln 2 in two doubles */
    vec p = all(coefficients[0]);
#pragma GCC unroll 16
    for (int i = 1; i < 14; i++) p = fused(p, r, all(coefficients[i]));
    return times_power(p, t);
}

/* Eight interleaved sums, of which at[l] has every eighth term from l on: the last terms, fewer than eight, are added here, then
 * all are halved. */
enum { LANES = 8, PARTS = LANES / WIDTH };
INLINE double join_sums(double at[LANES], const double last[LANES], int64_t left) {
    for (int l = 0; l < left; l++) at[l] += last[l];
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) at[l] += at[l + half];
    return at[0];
}

static double dots_gauss(int64_t n, const double *dots, const double *inverse, double scale) {
    vec sums[PARTS], four = all(4), factor = all(scale);
    for (int p = 0; p < PARTS; p++) sums[p] = all(0);
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int p = 0; p < PARTS; p++) {
            vec cosine = mul(mul(load(dots + j + p * WIDTH), load(inverse + j + p * WIDTH)), factor);
            sums[p] = add(sums[p], exp_of(fused(four, cosine, all(-4))));
        }
    double at[LANES], last[LANES] = {0};
    for (int p = 0; p < PARTS; p++) store(at + p * WIDTH, sums[p]);
    if (j < n) {
        for (int l = 0; j + l < n; l++) last[l] = dots[j + l] * inverse[j + l] * scale;
        for (int p = 0; p < PARTS; p++) store(last + p * WIDTH, exp_of(fused(four, load(last + p * WIDTH), all(-4))));
    }
    return join_sums(at, last, n - j);
}

INLINE vec exponential(vec value, vec top, vec factor) { return exp_of(larger(mul(sub(value, top), factor), all(-700))); }

static double dots_exponentials(int64_t n, const double *values, double top, double factor) {
    vec sums[PARTS], above = all(top), times = all(factor);
    for (int p = 0; p < PARTS; p++) sums[p] = all(0);
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int p = 0; p < PARTS; p++) sums[p] = add(sums[p], exponential(load(values + j + p * WIDTH), above, times));
    double at[LANES], last[LANES];
    for (int p = 0; p < PARTS; p++) store(at + p * WIDTH, sums[p]);
    for (int l = 0; l < LANES; l++) last[l] = j + l < n ? values[j + l] : top;
    for (int p = 0; p < PARTS; p++) store(last + p * WIDTH, exponential(load(last + p * WIDTH), above, times));
    return join_sums(at, last, n - j);
}

const vb_dots_kernel VB_DOTS_KERNEL = {.multiply = dots_multiply, .gauss = dots_gauss, .exponentials = dots_exponentials};

#endif
