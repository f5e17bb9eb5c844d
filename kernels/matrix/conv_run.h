/* Convolution of a batch. */
#ifndef VB_CONV_RUN_H
#define VB_CONV_RUN_H

#include "kernels/matrix/conv.h"

/* out: images x out_height x out_width x weight->rows. A 3x3 filter with stride 1 over activations is computed as winograd.h
 * says, any other, and all in three products of bf16, as a product of vb_conv_row's rows, a 1x1 filter over NHWC with its input
 * in place. Errors: as vb_gemm. */
int vb_conv_run(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                int threads, vb_error *err);

#endif
