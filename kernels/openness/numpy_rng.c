/* MT19937 seeded and read the way NumPy's RandomState does. */
#include "kernels/openness/numpy_rng.h"

#include <assert.h>

enum { STATE = 624, MIDDLE = 397 }; /* n and m of MT19937 */
static_assert(sizeof((vb_numpy_rng *)0)->key == STATE * sizeof(uint32_t), "the state of MT19937");

void vb_numpy_rng_seed(vb_numpy_rng *rng, uint32_t seed) {
    for (int i = 0; i < STATE; i++) {
        rng->key[i] = seed;
        seed = 1812433253u * (seed ^ seed >> 30) + (uint32_t)i + 1;
    }
    rng->position = STATE;
}

static void refill(uint32_t *key) {
    for (int i = 0; i < STATE; i++) {
        uint32_t y = (key[i] & 0x80000000u) | (key[(i + 1) % STATE] & 0x7fffffffu);
        key[i] = key[(i + MIDDLE) % STATE] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
}

uint32_t vb_numpy_rng_next(vb_numpy_rng *rng) {
    if (rng->position == STATE) {
        refill(rng->key);
        rng->position = 0;
    }
    uint32_t y = rng->key[rng->position++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

uint32_t vb_numpy_rng_interval(vb_numpy_rng *rng, uint32_t largest) {
    if (!largest) return 0;
    uint32_t mask = 0xffffffffu >> __builtin_clz(largest), value;
    do value = vb_numpy_rng_next(rng) & mask;
    while (value > largest);
    return value;
}

void vb_numpy_rng_permutation(vb_numpy_rng *rng, int *values, int n) {
    for (int i = n - 1; i > 0; i--) {
        int j = (int)vb_numpy_rng_interval(rng, (uint32_t)i);
        int value = values[i];
        values[i] = values[j];
        values[j] = value;
    }
}
