/* Pillow's conversions of pixels: to RGB, and to premultiplied alpha and back, all in 8-bit integer arithmetic. */
#include "kernels/image/colour.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
    int bytes;
    const char *name;
} modes[] = {[VB_MODE_1] = {1, "1"},      [VB_MODE_L] = {1, "L"},       [VB_MODE_LA] = {2, "LA"},     [VB_MODE_P] = {1, "P"},
             [VB_MODE_RGB] = {3, "RGB"},  [VB_MODE_RGBA] = {4, "RGBA"}, [VB_MODE_CMYK] = {4, "CMYK"}, [VB_MODE_I] = {4, "I"},
             [VB_MODE_I16] = {2, "I;16"}, [VB_MODE_F] = {4, "F"},       [VB_MODE_PA] = {2, "PA"}};
enum { MODES = sizeof modes / sizeof *modes };
static_assert(MODES == VB_MODE_PA + 1, "a row for each mode");

int vb_colour_mode_bytes(vb_mode mode) { return (unsigned)mode < MODES ? modes[mode].bytes : 0; }
const char *vb_colour_mode_name(vb_mode mode) { return (unsigned)mode < MODES ? modes[mode].name : "?"; }

/* a * b / 255, rounded to nearest, for a and b in 0..255. */
static inline unsigned times(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static inline uint8_t clip(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static inline void grey(uint8_t *rgb, uint8_t level) { rgb[0] = rgb[1] = rgb[2] = level; }

void vb_colour_to_rgb(const vb_image *image, uint8_t *rgb) {
    const uint8_t *in = image->pixels;
    size_t pixels = (size_t)image->width * (size_t)image->height;
    switch (image->mode) {
    case VB_MODE_1:
    case VB_MODE_L:
        for (size_t i = 0; i < pixels; i++) grey(rgb + 3 * i, in[i]);
        break;
    case VB_MODE_LA:
        for (size_t i = 0; i < pixels; i++) grey(rgb + 3 * i, in[2 * i]);
        break;
    case VB_MODE_P:
        for (size_t i = 0; i < pixels; i++) memcpy(rgb + 3 * i, image->palette + 3 * in[i], 3);
        break;
    case VB_MODE_PA:
        for (size_t i = 0; i < pixels; i++) memcpy(rgb + 3 * i, image->palette + 3 * in[2 * i], 3);
        break;
    case VB_MODE_RGB: memcpy(rgb, in, 3 * pixels); break;
    case VB_MODE_RGBA:
        for (size_t i = 0; i < pixels; i++) memcpy(rgb + 3 * i, in + 4 * i, 3);
        break;
    case VB_MODE_CMYK:
        for (size_t i = 0; i < pixels; i++) {
            unsigned light = 255u - in[4 * i + 3];
            for (size_t c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)(light - times(in[4 * i + c], light));
        }
        break;
    case VB_MODE_I:
        for (size_t i = 0; i < pixels; i++) {
            int32_t level;
            memcpy(&level, in + 4 * i, sizeof level);
            grey(rgb + 3 * i, clip(level));
        }
        break;
    case VB_MODE_I16:
        for (size_t i = 0; i < pixels; i++) {
            uint16_t level;
            memcpy(&level, in + 2 * i, sizeof level);
            grey(rgb + 3 * i, clip(level));
        }
        break;
    case VB_MODE_F:
        for (size_t i = 0; i < pixels; i++) {
            float level;
            memcpy(&level, in + 4 * i, sizeof level);
            grey(rgb + 3 * i, level > 0 ? level < 255 ? (uint8_t)level : 255 : 0);
        }
        break;
    }
}

void vb_colour_premultiply(uint8_t *out, const uint8_t *in, size_t pixels, int channels) {
    assert(channels == 2 || channels == 4);
    for (size_t i = 0; i < pixels; i++, in += channels, out += channels) {
        unsigned alpha = in[channels - 1];
        for (int c = 0; c < channels - 1; c++) out[c] = (uint8_t)times(in[c], alpha);
        out[channels - 1] = (uint8_t)alpha;
    }
}

void vb_colour_unpremultiply(uint8_t *out, const uint8_t *in, size_t pixels, int channels) {
    assert(channels == 2 || channels == 4);
    for (size_t i = 0; i < pixels; i++, in += channels, out += channels) {
        int alpha = in[channels - 1];
        for (int c = 0; c < channels - 1; c++) out[c] = alpha ? clip(255 * in[c] / alpha) : in[c];
        out[channels - 1] = (uint8_t)alpha;
    }
}
