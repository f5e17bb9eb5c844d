/* For tests: random numbers, the same at every run, by two linear congruential generators. */
#ifndef VB_RANDOM_H
#define VB_RANDOM_H

#include <stdint.h>

/* Knuth's MMIX: the upper bits are the good ones. */
static inline uint64_t random_next64(uint64_t *state) { return *state = *state * 6364136223846793005u + 1442695040888963407u; }

/* An integer from 0 to n - 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t n) { return (uint32_t)(random_next64(state) >> 33) % n; }

/* A whole number of 2^-23 from -1 to below 1. */
static inline float random_unit_float(uint64_t *state) {
    return (float)((int)(random_next64(state) >> 40) - (1 << 23)) * 0x1p-23f;
}

/* Numerical Recipes' "quick and dirty" one. */
static inline uint32_t random_next32(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* Its upper 24 bits. */
static inline uint32_t random_next24(uint32_t *state) { return random_next32(state) >> 8; }

/* A whole number of 2^-12, to about 2.4 on both sides of zero: products of two, and short sums of those, are exact in fp32. */
static inline float random_short_float(uint32_t *state) {
    return (float)((int)(random_next24(state) % 20001) - 10000) * 0x1p-12f;
}

#endif
