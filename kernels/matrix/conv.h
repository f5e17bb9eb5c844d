/* The geometry of a convolution and the rows that make it a matrix product; average pooling. Activations are NHWC. */
#ifndef VB_CONV_H
#define VB_CONV_H

#include <stdbool.h>

#include "kernels/matrix/gemm.h"

enum { VB_CONV_TAPS = 9 }; /* of filters that are gathered tap by tap, at most */

/* Geometry of a square convolution over a batch. Strides of the input count floats, so that NHWC activations and NCHW pixels both
 * fit. Weight columns are in PyTorch's order: channel, then row, then column of the filter. */
typedef struct vb_conv {
    const float *input;
    int channels, height, width;
    int kernel, stride, padding;
    int64_t image_stride, channel_stride, row_stride, column_stride;
    const struct vb_bf16x3_kernel *bf16x3; /* as vb_gemm_a has them */
    vb_scratch *scratch;
    const vb_kept *kept; /* of the weight that the convolution is run with by the method that it is run with; NULL: none */
} vb_conv;

/* The geometry over a batch of activations (images x height x width x channels), or of pixels (images x channels x height x
 * width), without gaps. input: borrowed. */
vb_conv vb_conv_over_nhwc(const float *input, int channels, int height, int width, int kernel, int stride, int padding);
vb_conv vb_conv_over_nchw(const float *input, int channels, int height, int width, int kernel, int stride, int padding);
/* Rows and columns of an output image. */
int vb_conv_out_height(const vb_conv *conv);
int vb_conv_out_width(const vb_conv *conv);

/* Whether a pixel of the input is none of the padding's. */
bool vb_conv_inside(const vb_conv *conv, int y, int x);

/* Row source for vb_gemm: row (image, y, x) of the im2col matrix, columns first .. first+count-1. `context` is a vb_conv. */
void vb_conv_row(const void *context, int64_t row, int64_t first, int64_t count, float *out);

/* Means of windows of size x size pixels, `stride` apart; the first begins `padding` pixels (less than size) outside. What lies
 * outside does not count, and remainders at the right and the bottom are dropped, as in PyTorch's AvgPool2d without
 * count_include_pad. Sums run over a window's pixels row by row. in: images x height x width x channels. */
typedef struct vb_window {
    int size, stride, padding;
} vb_window;
void vb_conv_average_pool(const float *in, int64_t images, int height, int width, int channels, const vb_window *window,
                          float *out, int threads);
/* Windows along a side of `length` pixels. */
int vb_conv_windows(const vb_window *window, int length);

#endif
