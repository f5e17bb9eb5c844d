/* Depthwise convolution: every output channel reads one input channel. Activations are NHWC. */
#ifndef VB_DEPTHWISE_H
#define VB_DEPTHWISE_H

#include "kernels/matrix/gemm.h"

enum { VB_DEPTHWISE_KERNEL = 15 }; /* sides of filters, at most */

/* Output channel o reads input channel o / times. An element of the result is one chain of fused multiply-adds over the filter's
 * taps, row by row, from 0 upward; padding reads zeros. */
typedef struct vb_depthwise {
    const float *input; /* images x height x width x channels; borrowed */
    int channels, height, width, times;
    int kernel, stride, padding;
    const float *weight; /* channels * times rows of kernel x kernel taps; borrowed */
    vb_scratch *scratch; /* as vb_gemm_a has it */
} vb_depthwise;

/* out: images x out_height x out_width x channels * times; must not overlap the input. The epilogue's vectors have an entry an
 * output channel, its residual is of out's shape and may be out. The same bits at every instruction set level and thread count.
 * Work space a thread: `kernel` rows of 64 channels, their filters, and a row of sums. Fails only for lack of memory. */
int vb_depthwise_run(const vb_depthwise *conv, int64_t images, float *out, const vb_epilogue *epilogue, int threads,
                     vb_error *err);
/* Rows and columns of an output image. */
int vb_depthwise_out_height(const vb_depthwise *conv);
int vb_depthwise_out_width(const vb_depthwise *conv);

#endif
