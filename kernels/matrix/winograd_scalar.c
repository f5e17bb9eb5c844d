/* Winograd's transforms in plain C: the definitions, a channel at a time. */
#include "kernels/matrix/winograd_kernel.h"
#include "kernels/matrix/winograd_reference.h"

enum { POINTS = VB_WINOGRAD_POINTS, SIDE = VB_WINOGRAD_SIDE, TAPS = 9, ROOM = 16 };

static void winograd_filter_scalar(int count, int cols, const float *taps, float *u, int64_t step) {
    for (int64_t at = 0; at < (int64_t)count * cols; at++) {
        float g[TAPS], factors[POINTS];
        for (int t = 0; t < TAPS; t++) g[t] = taps[at / cols * TAPS * cols + t * cols + at % cols];
        vb_winograd_reference_filter(g, factors);
        for (int p = 0; p < POINTS; p++) u[p * step + at] = factors[p];
    }
}

static void winograd_input_scalar(int count, const float *const from[POINTS], float *v, int64_t step) {
    for (int c = 0; c < (count + ROOM - 1) / ROOM * ROOM; c++) {
        float pixels[POINTS], values[POINTS];
        for (int p = 0; p < POINTS; p++) pixels[p] = c < count ? from[p][c] : 0;
        vb_winograd_reference_input(pixels, values);
        for (int p = 0; p < POINTS; p++)
            v[p / VB_WINOGRAD_BESIDE * step + p % VB_WINOGRAD_BESIDE * VB_WINOGRAD_BLOCK + c] = values[p];
    }
}

static void winograd_output_scalar(int cols, const float *m, int64_t step, float *y, int64_t ld) {
    for (int j = 0; j < cols; j++) {
        float sums[POINTS], results[SIDE * SIDE];
        for (int p = 0; p < POINTS; p++) sums[p] = m[p * step + j];
        vb_winograd_reference_output(sums, results);
        for (int r = 0; r < SIDE * SIDE; r++) y[(r / SIDE * ld + r % SIDE) * cols + j] = results[r];
    }
}

const vb_winograd_kernel vb_winograd_kernel_scalar = {.filter = winograd_filter_scalar,
                                                      .input = winograd_input_scalar,
                                                      .output = winograd_output_scalar};
