/* What resampling of 8-bit channels has once for each instruction set level: integer sums, so the same bits in any order. Private
 * to kernels/image/. */
#ifndef VB_RESIZE_KERNEL_H
#define VB_RESIZE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sum of weights (about 1) times 255 needs 8 bits, the overshoot of the kernel's negative lobes 2 more:
 * 22 of 32 are the fraction's. */
enum { VB_RESIZE_FRACTION = 22, VB_RESIZE_HALF = 1 << (VB_RESIZE_FRACTION - 1) };
enum { VB_RESIZE_LOW = 12, VB_RESIZE_STEP = 4 };

/* Which inputs make each output along one axis. Weights of output i: [i * span .. i * span + count[i]), then zeros.
 * span is the largest count, made a multiple of VB_RESIZE_STEP. */
typedef struct vb_resize_axis {
    bool identity; /* size unchanged: Pillow leaves the whole pass out */
    int inputs, outputs, span;
    int *first, *count;
    double *weight;
    int32_t *fixed; /* the same in fixed point; NULL for mode I */
    /* The same as high * 2^VB_RESIZE_LOW + low, 0 <= low < 2^VB_RESIZE_LOW: products with bytes are exact, two at once. */
    int16_t *high, *low;
} vb_resize_axis;

typedef struct vb_resize_kernel {
    /* out[i] = the rounded and clipped sum of in[first[i] + j] * fixed[i][j], for each of the 1 to 4 interleaved channels. */
    void (*horizontal)(uint8_t *out, const uint8_t *in, const vb_resize_axis *axis, int channels);

    /* The same down columns: one row of `bytes` from `count` rows `stride` bytes apart. */
    void (*vertical)(uint8_t *out, const uint8_t *in, size_t stride, size_t bytes, const int32_t *weight, int count);
} vb_resize_kernel;

/* For the level in use. */
const vb_resize_kernel *vb_resize_kernel_get(void);

/* A sum of VB_RESIZE_FRACTION fractional bits to a byte. */
static inline uint8_t vb_resize_kernel_clip(int32_t sum) {
    int32_t level = sum >> VB_RESIZE_FRACTION;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

extern const vb_resize_kernel vb_resize_kernel_scalar;
#if defined(__x86_64__)
extern const vb_resize_kernel vb_resize_kernel_avx2;
#endif

#endif
