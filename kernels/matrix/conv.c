/* im2col rows for the GEMM, average pooling. */
#include "kernels/matrix/conv.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_TAPS = VB_CONV_TAPS }; /* larger filters (patches) are gathered in runs of a row */

static const float outside = 0; /* what padding reads */

vb_conv vb_conv_over_nhwc(const float *input, int channels, int height, int width, int kernel, int stride, int padding) {
    return (vb_conv){.input = input,
                     .channels = channels,
                     .height = height,
                     .width = width,
                     .kernel = kernel,
                     .stride = stride,
                     .padding = padding,
                     .image_stride = (int64_t)height * width * channels,
                     .channel_stride = 1,
                     .row_stride = (int64_t)width * channels,
                     .column_stride = channels};
}

vb_conv vb_conv_over_nchw(const float *input, int channels, int height, int width, int kernel, int stride, int padding) {
    return (vb_conv){.input = input,
                     .channels = channels,
                     .height = height,
                     .width = width,
                     .kernel = kernel,
                     .stride = stride,
                     .padding = padding,
                     .image_stride = (int64_t)channels * height * width,
                     .channel_stride = (int64_t)height * width,
                     .row_stride = width,
                     .column_stride = 1};
}

int vb_conv_out_height(const vb_conv *conv) { return (conv->height + 2 * conv->padding - conv->kernel) / conv->stride + 1; }
int vb_conv_out_width(const vb_conv *conv) { return (conv->width + 2 * conv->padding - conv->kernel) / conv->stride + 1; }

bool vb_conv_inside(const vb_conv *conv, int y, int x) { return y >= 0 && y < conv->height && x >= 0 && x < conv->width; }

static void gather_taps(const vb_conv *conv, const float *image, int top, int left, int64_t first, int64_t count, float *out) {
    const int taps = conv->kernel * conv->kernel;
    const float *from[MOST_TAPS];
    int64_t step[MOST_TAPS];
    for (int t = 0; t < taps; t++) {
        int y = top + t / conv->kernel, x = left + t % conv->kernel;
        bool in = vb_conv_inside(conv, y, x);
        from[t] = in ? image + y * conv->row_stride + x * conv->column_stride : &outside;
        step[t] = in ? conv->channel_stride : 0;
    }
    int64_t channel = first / taps;
    const float *end = out + count;
    for (int t = (int)(first % taps); t < taps && t && out < end; t++) *out++ = from[t][channel * step[t]];
    if (first % taps) channel++;
    if (taps == 9) /* a constant count, so that the compiler unrolls */
        for (; end - out >= 9; channel++, out += 9)
            for (int t = 0; t < 9; t++) out[t] = from[t][channel * step[t]];
    while (out < end) {
        for (int t = 0; t < taps && out < end; t++) *out++ = from[t][channel * step[t]];
        channel++;
    }
}

static void gather_runs(const vb_conv *conv, const float *image, int top, int left, int64_t first, int64_t count, float *out) {
    while (count > 0) {
        int64_t line = first / conv->kernel;
        int begin = (int)(first % conv->kernel), run = conv->kernel - begin;
        if (run > count) run = (int)count;
        int y = top + (int)(line % conv->kernel), x = left + begin;
        int64_t from = line / conv->kernel * conv->channel_stride + y * conv->row_stride + x * conv->column_stride;
        if (conv->column_stride == 1 && vb_conv_inside(conv, y, x) && vb_conv_inside(conv, y, x + run - 1))
            memcpy(out, image + from, (size_t)run * sizeof *out);
        else
            for (int i = 0; i < run; i++)
                out[i] = vb_conv_inside(conv, y, x + i) ? image[from + i * conv->column_stride] : outside;
        first += run;
        count -= run;
        out += run;
    }
}

/* A whole row of the matrix for a filter of LINE x LINE pixels that all lie inside, side by side: a line is copied as four
 * floats, of which the next one overwrites the last; behind the last line of a channel there is another channel, or none. Float
 * by float they took two thirds of a ResNet's first layer. */
enum { LINE = 3 };
static bool has_whole_lines(const vb_conv *conv, int top, int left, int64_t count) {
    return conv->kernel == LINE && conv->column_stride == 1 && count == (int64_t)conv->channels * LINE * LINE && top >= 0 &&
           left >= 0 && top + LINE <= conv->height && left + LINE <= conv->width;
}

static void copy_lines(const vb_conv *conv, const float *corner, float *out) {
    const float *channel = corner;
    for (int c = 1; c < conv->channels; c++, channel += conv->channel_stride)
        for (int y = 0; y < LINE; y++, out += LINE) memcpy(out, channel + y * conv->row_stride, (LINE + 1) * sizeof *out);
    for (int y = 0; y < LINE; y++, out += LINE) memcpy(out, channel + y * conv->row_stride, LINE * sizeof *out);
}

void vb_conv_row(const void *context, int64_t row, int64_t first, int64_t count, float *out) {
    const vb_conv *conv = context;
    int columns = vb_conv_out_width(conv);
    int64_t pixels = (int64_t)vb_conv_out_height(conv) * columns, pixel = row % pixels;
    const float *image = conv->input + row / pixels * conv->image_stride;
    const int at = (int)pixel; /* its remainder is sooner found */
    const int top = at / columns * conv->stride - conv->padding, left = at % columns * conv->stride - conv->padding;
    if (!first && has_whole_lines(conv, top, left, count)) copy_lines(conv, image + top * conv->row_stride + left, out);
    else if (conv->kernel * conv->kernel <= MOST_TAPS) gather_taps(conv, image, top, left, first, count, out);
    else gather_runs(conv, image, top, left, first, count, out);
}

int vb_conv_windows(const vb_window *window, int length) {
    return (length + 2 * window->padding - window->size) / window->stride + 1;
}

/* The part of a window that lies inside of a side. */
static void inside_of(const vb_window *window, int index, int length, int *begin, int *end) {
    *begin = index * window->stride - window->padding;
    *end = *begin + window->size < length ? *begin + window->size : length;
    if (*begin < 0) *begin = 0;
}

void vb_conv_average_pool(const float *in, int64_t images, int height, int width, int channels, const vb_window *window,
                          float *out, int threads) {
    assert(window->size >= 1 && window->stride >= 1 && window->padding >= 0 && window->padding < window->size && threads >= 1);
    const int rows = vb_conv_windows(window, height), columns = vb_conv_windows(window, width);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t row = 0; row < images * rows; row++) {
        const float *picture = in + row / rows * height * width * channels;
        int top, bottom, left, right;
        inside_of(window, (int)(row % rows), height, &top, &bottom);
        for (int column = 0; column < columns; column++) {
            float *mean = out + (row * columns + column) * channels;
            inside_of(window, column, width, &left, &right);
            const int across = right - left, cells = (bottom - top) * across;
            for (int cell = 0; cell < cells; cell++) {
                const float *next = picture + ((int64_t)(top + cell / across) * width + left + cell % across) * channels;
                if (!cell) memcpy(mean, next, (size_t)channels * sizeof *mean);
                else
                    for (int c = 0; c < channels; c++) mean[c] += next[c];
            }
            const float share = 1.0f / (float)cells;
            for (int c = 0; c < channels; c++) mean[c] *= share;
        }
    }
}
