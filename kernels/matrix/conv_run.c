/* Convolution: the choice of the method, and the one that is a matrix product whose rows are gathered on the fly. */
#include "kernels/matrix/conv_run.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/matrix/winograd.h"

/* As vb_conv_row for activations, tap by tap (vb_gemm_a's `taps`): each is a run of channels, which the product then takes in the
 * filter's order. Gathering them in that order, float by float, took a fifth of a layer of 128 channels. */
static void row_by_taps(const void *context, int64_t row, int64_t first, int64_t count, float *out) {
    const vb_conv *conv = context;
    const int columns = vb_conv_out_width(conv), taps = conv->kernel * conv->kernel;
    const int64_t pixels = (int64_t)vb_conv_out_height(conv) * columns, pixel = row % pixels, run = count / taps;
    const float *image = conv->input + row / pixels * conv->image_stride + first / taps;
    const int top = (int)(pixel / columns) * conv->stride - conv->padding,
              left = (int)(pixel % columns) * conv->stride - conv->padding;
    for (int y = top; y < top + conv->kernel; y++)
        for (int x = left; x < left + conv->kernel; x++, out += run) {
            if (vb_conv_inside(conv, y, x))
                memcpy(out, image + y * conv->row_stride + x * conv->column_stride, (size_t)run * sizeof *out);
            else memset(out, 0, (size_t)run * sizeof *out);
        }
}

int vb_conv_run(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                int threads, vb_error *err) {
    assert(conv->kernel >= 1 && conv->stride >= 1 && conv->padding >= 0);
    assert(weight->cols == (int64_t)conv->channels * conv->kernel * conv->kernel);
    if (!conv->bf16x3 && vb_winograd_fits(conv->kernel, conv->stride, conv->channel_stride != 1))
        return vb_winograd_run(conv, images, weight, out, epilogue, threads, err);
    int64_t rows = images * vb_conv_out_height(conv) * vb_conv_out_width(conv);
    vb_gemm_a a = {.source = vb_conv_row, .context = conv};
    bool in_place = conv->kernel == 1 && conv->stride == 1 && !conv->padding && conv->channel_stride == 1;
    if (!conv->bf16x3 && conv->kernel > 1 && conv->kernel * conv->kernel <= VB_CONV_TAPS && conv->channel_stride == 1)
        a = (vb_gemm_a){.source = row_by_taps, .context = conv, .taps = conv->kernel * conv->kernel};
    if (in_place) a = (vb_gemm_a){.data = conv->input, .ld = conv->column_stride};
    a.bf16x3 = conv->bf16x3;
    a.kept = conv->kept;
    a.scratch = conv->scratch;
    return vb_gemm(rows, &a, weight, out, weight->rows, epilogue, threads, err);
}
