/* The inner loops of resize.c and their AVX2 sisters. Private to kernels/resize*.c. */
#ifndef VB_RESIZE_ROWS_H
#define VB_RESIZE_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* A sum of weights (about 1) times 255 needs 8 bits, the overshoot of the kernel's negative lobes 2 more:
 * 22 of 32 are the fraction's. */
enum { VB_RESIZE_FRACTION = 22, VB_RESIZE_HALF = 1 << (VB_RESIZE_FRACTION - 1) };

/* Which inputs make each output along one axis. Weights of output i: [i * span .. i * span + count[i]), then zeros.
 * span is the largest count, made even. */
typedef struct vb_resize_axis {
    int identity; /* size unchanged: Pillow leaves the whole pass out */
    int inputs, outputs, span;
    int *first, *count;
    double *weight;
    int32_t *fixed; /* the same in fixed point; NULL for mode I */
} vb_resize_axis;

/* out[i] = the rounded and clipped sum of in[first[i] + j] * fixed[i][j], for each of the 3 or 4 interleaved channels. */
void vb_resize_rows_horizontal_avx2(uint8_t *out, const uint8_t *in, const vb_resize_axis *axis, int channels);

/* The same down columns: one row of `bytes` from `count` rows `stride` bytes apart. */
void vb_resize_rows_vertical_avx2(uint8_t *out, const uint8_t *in, size_t stride, size_t bytes, const int32_t *weight, int count);

#endif
