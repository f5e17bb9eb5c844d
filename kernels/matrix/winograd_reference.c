/* The convolution through Winograd's transforms by plain loops, a tile and an output channel at a time. */
#include "kernels/matrix/winograd_reference.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/layers_kernel.h"

enum { SIDE = VB_WINOGRAD_SIDE, WINDOW = VB_WINOGRAD_WINDOW, POINTS = VB_WINOGRAD_POINTS };

/* Values lie `step` apart. */
static void filter_line(const float *g, int step, float *u, int ustep) {
    const float near = fmaf(9.0f / 16, g[2 * step], g[0]), far = fmaf(9.0f / 4, g[2 * step], g[0]);
    u[0] = 64.0f / 81 * g[0];
    u[ustep] = -128.0f / 243 * fmaf(3.0f / 4, g[step], near);
    u[2 * ustep] = -128.0f / 243 * fmaf(-3.0f / 4, g[step], near);
    u[3 * ustep] = 32.0f / 243 * fmaf(3.0f / 2, g[step], far);
    u[4 * ustep] = 32.0f / 243 * fmaf(-3.0f / 2, g[step], far);
    u[5 * ustep] = g[2 * step];
}

static void input_line(const float *d, int step, float *v, int vstep) {
    const float even = fmaf(-9.0f / 4, d[2 * step], d[4 * step]), odd = fmaf(-9.0f / 4, d[step], d[3 * step]);
    const float even2 = fmaf(-9.0f / 16, d[2 * step], d[4 * step]), odd2 = fmaf(-9.0f / 16, d[step], d[3 * step]);
    v[0] = fmaf(81.0f / 64, d[0], fmaf(-45.0f / 16, d[2 * step], d[4 * step]));
    v[vstep] = fmaf(3.0f / 4, odd, even);
    v[2 * vstep] = fmaf(-3.0f / 4, odd, even);
    v[3 * vstep] = fmaf(3.0f / 2, odd2, even2);
    v[4 * vstep] = fmaf(-3.0f / 2, odd2, even2);
    v[5 * vstep] = fmaf(81.0f / 64, d[step], fmaf(-45.0f / 16, d[3 * step], d[5 * step]));
}

static void output_line(const float *m, int step, float *y, int ystep) {
    const float sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    const float sum2 = m[3 * step] + m[4 * step], difference2 = m[3 * step] - m[4 * step];
    y[0] = (m[0] + sum) + sum2;
    y[ystep] = fmaf(3.0f / 2, difference2, 3.0f / 4 * difference);
    y[2 * ystep] = fmaf(9.0f / 4, sum2, 9.0f / 16 * sum);
    y[3 * ystep] = fmaf(27.0f / 8, difference2, fmaf(27.0f / 64, difference, m[5 * step]));
}

void vb_winograd_reference_filter(const float taps[9], float factors[36]) {
    float half[WINDOW * 3];
    for (int x = 0; x < 3; x++) filter_line(taps + x, 3, half + x, 3);
    for (int y = 0; y < WINDOW; y++) filter_line(half + y * 3, 1, factors + y * WINDOW, 1);
}

void vb_winograd_reference_input(const float pixels[36], float values[36]) {
    float half[POINTS];
    for (int x = 0; x < WINDOW; x++) input_line(pixels + x, WINDOW, half + x, WINDOW);
    for (int y = 0; y < WINDOW; y++) input_line(half + y * WINDOW, 1, values + y * WINDOW, 1);
}

void vb_winograd_reference_output(const float sums[36], float results[16]) {
    float half[SIDE * WINDOW];
    for (int x = 0; x < WINDOW; x++) output_line(sums + x, WINDOW, half + x, WINDOW);
    for (int y = 0; y < SIDE; y++) output_line(half + y * WINDOW, 1, results + y * SIDE, 1);
}

/* The values of a tile whose window begins at (top, left): channels x 36. */
static void transform_tile(const vb_conv *conv, const float *image, int top, int left, float *values) {
    for (int c = 0; c < conv->channels; c++) {
        float pixels[POINTS];
        for (int p = 0; p < POINTS; p++) {
            const int y = top + p / WINDOW, x = left + p % WINDOW;
            const bool inside = y >= 0 && y < conv->height && x >= 0 && x < conv->width;
            pixels[p] = inside ? image[c * conv->channel_stride + y * conv->row_stride + x * conv->column_stride] : 0;
        }
        vb_winograd_reference_input(pixels, values + c * POINTS);
    }
}

static void transform_filters(const vb_matrix *weight, float *factors) {
    const int64_t filters = weight->rows * weight->cols / 9, channels = weight->cols / 9;
    for (int64_t f = 0; f < filters; f++) {
        float taps[9];
        for (int t = 0; t < 9; t++) taps[t] = vb_matrix_at(weight, f / channels, f % channels * 9 + t);
        vb_winograd_reference_filter(taps, factors + f * POINTS);
    }
}

/* The results of output channel j in a tile: each of the 36 sums is one chain over the channels. */
static void sum_tile(int channels, const float *values, const float *factors, float results[16]) {
    float sums[POINTS] = {0};
    for (int c = 0; c < channels; c++)
        for (int p = 0; p < POINTS; p++) sums[p] = fmaf(values[c * POINTS + p], factors[c * POINTS + p], sums[p]);
    vb_winograd_reference_output(sums, results);
}

int vb_winograd_reference(const vb_conv *conv, int64_t images, const vb_matrix *weight, float *out, const vb_epilogue *epilogue,
                          vb_error *err) {
    const int height = vb_conv_out_height(conv), width = vb_conv_out_width(conv), channels = conv->channels;
    const int down = (height + SIDE - 1) / SIDE, across = (width + SIDE - 1) / SIDE;
    float *factors = vb_array((size_t)(weight->rows * channels), POINTS * sizeof *factors, "transformed filters", err);
    float *values = vb_array((size_t)channels, POINTS * sizeof *values, "a transformed tile", err);
    const int status = factors && values ? 0 : -1;
    if (!status) transform_filters(weight, factors);
    for (int64_t tile = 0; !status && tile < images * down * across; tile++) {
        const int64_t image = tile / (down * across);
        const int top = (int)(tile / across % down) * SIDE, left = (int)(tile % across) * SIDE;
        transform_tile(conv, conv->input + image * conv->image_stride, top - conv->padding, left - conv->padding, values);
        for (int64_t j = 0; j < weight->rows; j++) {
            float results[SIDE * SIDE];
            sum_tile(channels, values, factors + j * channels * POINTS, results);
            for (int r = 0; r < SIDE * SIDE; r++) {
                const int y = top + r / SIDE, x = left + r % SIDE;
                const int64_t pixel = (image * height + y) * width + x;
                if (y < height && x < width)
                    vb_layers_kernel_scalar.epilogue(1, 1, &results[r], 1, epilogue, pixel, j, out + pixel * weight->rows + j, 1);
            }
        }
    }
    vb_free(factors);
    vb_free(values);
    return status;
}
