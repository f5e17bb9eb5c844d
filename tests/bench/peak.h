/* The peak of fused multiply-adds that a benchmark compares itself with: independent chains in registers, nothing loaded. */
#ifndef VB_BENCH_PEAK_H
#define VB_BENCH_PEAK_H

#include <omp.h>
#include <time.h>

#include "kernels/base/isa.h"

/* Seconds for timing `threads` threads: one thread counts its own processor time, so that other programs on the machine disturb
 * less; more are timed by the clock on the wall. */
static inline double bench_seconds(int threads) {
    if (threads > 1) return omp_get_wtime();
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define PEAK_CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

__attribute__((target("avx512f"), noinline)) static float peak_loop_512(long count) {
    __m512 factor = _mm512_set1_ps(0.999f), add = _mm512_set1_ps(0.001f), sum = add;
#define BEGIN(i) __m512 x##i = _mm512_set1_ps((float)(i));
    PEAK_CHAINS(BEGIN)
    for (long n = 0; n < count; n++) {
#define STEP(i)                                                                                                                  \
    x##i = _mm512_fmadd_ps(x##i, factor, add);                                                                                   \
    __asm__("" : "+v"(x##i));
        PEAK_CHAINS(STEP)
    }
#define END(i) sum = _mm512_add_ps(sum, x##i);
    PEAK_CHAINS(END)
    return _mm512_cvtss_f32(sum);
#undef BEGIN
#undef STEP
#undef END
}

__attribute__((target("avx2,fma"), noinline)) static float peak_loop_256(long count) {
    __m256 factor = _mm256_set1_ps(0.999f), add = _mm256_set1_ps(0.001f), sum = add;
#define BEGIN(i) __m256 x##i = _mm256_set1_ps((float)(i));
    PEAK_CHAINS(BEGIN)
    for (long n = 0; n < count; n++) {
#define STEP(i)                                                                                                                  \
    x##i = _mm256_fmadd_ps(x##i, factor, add);                                                                                   \
    __asm__("" : "+x"(x##i));
        PEAK_CHAINS(STEP)
    }
#define END(i) sum = _mm256_add_ps(sum, x##i);
    PEAK_CHAINS(END)
    return _mm256_cvtss_f32(sum);
#undef BEGIN
#undef STEP
#undef END
}
#endif

/* GFLOP/s of all threads together at the level in use; 0 where there is no loop for it. Takes about 3 ms. */
static inline double fma_peak(int threads) {
#if defined(__x86_64__)
    enum { COUNT = 500000 };
    vb_isa level = vb_isa_level();
    if (level < VB_AVX2) return 0;
    volatile float keep = 0;
    double start = bench_seconds(threads);
#pragma omp parallel num_threads(threads)
    {
        float x = level >= VB_AVX512 ? peak_loop_512(COUNT) : peak_loop_256(COUNT);
#pragma omp critical
        keep = keep + x;
    }
    return 2.0 * 12 * (level >= VB_AVX512 ? 16 : 8) * COUNT * threads / (bench_seconds(threads) - start) / 1e9;
#else
    (void)threads;
    return 0;
#endif
}

#endif
