/* A row of a depthwise convolution, written once on sixteen lanes and compiled for every instruction set level: several pixels at
 * a time, so that a tap's weights are loaded once for them and their chains hide each other's latency.
 *
 * Internal. Defines the table VB_DEPTHWISE_TABLE; the including file sets that name and VB_LANES. */
#ifndef VB_DEPTHWISE_LANES_H
#define VB_DEPTHWISE_LANES_H

#include "kernels/matrix/depthwise_kernel.h"
#include "kernels/matrix/lanes.h"

#if VB_LANES == 512
enum { PIXELS = 8 };
#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#elif VB_LANES == 256
enum { PIXELS = 6 };
#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#else
enum { PIXELS = 1 };
#define EACH_PIXEL(DO) DO(0)
#endif

/* Named accumulators, not an array: the compiler keeps them in registers. `m` is a constant wherever this is expanded. */
LANES_FUNCTION void some_pixels(const int m, int kernel, int64_t step, const float *const *rows, int64_t from,
                                const float *weight, float *sums) {
#define BEGIN(i) lanes x##i = lanes_all(0.0f);
    EACH_PIXEL(BEGIN)
    for (int r = 0; r < kernel; r++) {
        const float *row = rows[r] + from;
        for (int s = 0; s < kernel; s++, row += LANES, weight += LANES) {
            const lanes w = lanes_load(weight);
#define STEP(i)                                                                                                                  \
    if (i < m) x##i = lanes_fma(lanes_load(row + i * step), w, x##i);
            EACH_PIXEL(STEP)
        }
    }
#define END(i)                                                                                                                   \
    if (i < m) lanes_store(sums + i * LANES, x##i);
    EACH_PIXEL(END)
}

static void depthwise_row(int count, int kernel, int stride, const float *const *rows, const float *weight, float *sums) {
    const int strips = (count + PIXELS - 1) / PIXELS;
    const int64_t step = (int64_t)stride * LANES;
    for (int strip = 0, x = 0, m; strip < strips; strip++, x += m) {
        m = (strip + 1) * count / strips - x;
        switch (m) {
#define WIDTH(i)                                                                                                                 \
    case i + 1: some_pixels(i + 1, kernel, step, rows, x * step, weight, sums + (int64_t)x * LANES); break;
            EACH_PIXEL(WIDTH)
        default: break;
        }
    }
}

const vb_depthwise_kernel VB_DEPTHWISE_TABLE = {.row = depthwise_row};

#endif
