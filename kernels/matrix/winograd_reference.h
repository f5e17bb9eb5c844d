/* Winograd's transforms and the convolution through them in plain loops: the definition that vb_winograd_run, and any other
 * engine, is tested against, bit for bit. winograd.h says what they are for. */
#ifndef VB_WINOGRAD_REFERENCE_H
#define VB_WINOGRAD_REFERENCE_H

#include "kernels/matrix/winograd.h"

/* A filter's 3 x 3 taps, row by row, to 36 factors, row by row. */
void vb_winograd_reference_filter(const float taps[9], float factors[36]);
/* 6 x 6 pixels of one channel to 36 values. */
void vb_winograd_reference_input(const float pixels[36], float values[36]);
/* 36 sums to the 4 x 4 results. */
void vb_winograd_reference_output(const float sums[36], float results[16]);

/* As vb_winograd_run, on one thread. */
int vb_winograd_reference(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                          vb_error *err);

#endif
