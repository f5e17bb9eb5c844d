/* NumPy's legacy generator, as far as `RandomState(seed).permutation(n)` needs it: the sampled protocol draws with it. */
#ifndef VB_NUMPY_RNG_H
#define VB_NUMPY_RNG_H

#include <stdint.h>

/* MT19937 (Matsumoto and Nishimura 1998). A plain value: copying it copies the place in the sequence. */
typedef struct vb_numpy_rng {
    uint32_t key[624];
    int position;
} vb_numpy_rng;

/* The state of numpy.random.RandomState(seed), equally of numpy.random.seed(seed), for 0 <= seed < 2^32. */
void vb_numpy_rng_seed(vb_numpy_rng *rng, uint32_t seed);

/* The next 32 bits. */
uint32_t vb_numpy_rng_next(vb_numpy_rng *rng);

/* Uniform in 0..largest: NumPy's rejection under the smallest mask of ones that covers `largest`; 0 draws nothing. */
uint32_t vb_numpy_rng_interval(vb_numpy_rng *rng, uint32_t largest);

/* Puts values[0..n-1] in the order that RandomState.permutation (or shuffle) gives a one-dimensional array of n elements. */
void vb_numpy_rng_permutation(vb_numpy_rng *rng, int *values, int n);

#endif
