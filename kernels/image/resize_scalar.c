/* The inner loops of resampling in plain C. */
#include "kernels/image/resize_kernel.h"

enum { STRIP = 64 }; /* bytes: a constant length lets the compiler use vectors, and so many sums still fit its registers */

/* `channels` is a constant wherever this is called, so that the sums live in registers. */
static inline __attribute__((always_inline)) void resample_channels(uint8_t *out, const uint8_t *in, const vb_resize_axis *a,
                                                                    int channels) {
    for (int i = 0; i < a->outputs; i++, out += channels) {
        const int32_t *weight = a->fixed + (size_t)i * (size_t)a->span;
        const uint8_t *pixel = in + (size_t)a->first[i] * (size_t)channels;
        int32_t sum[4] = {VB_RESIZE_HALF, VB_RESIZE_HALF, VB_RESIZE_HALF, VB_RESIZE_HALF};
        for (int j = 0; j < a->count[i]; j++, pixel += channels)
            for (int c = 0; c < channels; c++) sum[c] += pixel[c] * weight[j];
        for (int c = 0; c < channels; c++) out[c] = vb_resize_kernel_clip(sum[c]);
    }
}

static void resize_horizontal_scalar(uint8_t *out, const uint8_t *in, const vb_resize_axis *axis, int channels) {
    switch (channels) {
    case 2: resample_channels(out, in, axis, 2); break;
    case 3: resample_channels(out, in, axis, 3); break;
    case 4: resample_channels(out, in, axis, 4); break;
    default: resample_channels(out, in, axis, 1); break;
    }
}

static void resize_vertical_scalar(uint8_t *out, const uint8_t *in, size_t stride, size_t bytes, const int32_t *weight,
                                   int count) {
    size_t at = 0;
    for (; at + STRIP <= bytes; at += STRIP) {
        int32_t sum[STRIP];
        for (int i = 0; i < STRIP; i++) sum[i] = VB_RESIZE_HALF;
        for (int j = 0; j < count; j++) {
            const uint8_t *row = in + at + (size_t)j * stride;
            for (int i = 0; i < STRIP; i++) sum[i] += row[i] * weight[j];
        }
        for (int i = 0; i < STRIP; i++) out[at + (size_t)i] = vb_resize_kernel_clip(sum[i]);
    }
    for (; at < bytes; at++) {
        int32_t sum = VB_RESIZE_HALF;
        for (int j = 0; j < count; j++) sum += in[at + (size_t)j * stride] * weight[j];
        out[at] = vb_resize_kernel_clip(sum);
    }
}

const vb_resize_kernel vb_resize_kernel_scalar = {.horizontal = resize_horizontal_scalar, .vertical = resize_vertical_scalar};
