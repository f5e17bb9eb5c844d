/* Pillow's conversions between modes, as far as preprocessing needs them: to RGB, and to premultiplied alpha and back. */
#ifndef VB_COLOUR_H
#define VB_COLOUR_H

#include <stddef.h>

#include "kernels/image/preprocess.h"

/* Bytes a pixel of that mode (VB_MODE_I: 4, an int32; F: 4, a float; I16: 2), or 0 when `mode` is none of them. */
int vb_colour_mode_bytes(vb_mode mode);
const char *vb_colour_mode_name(vb_mode mode); /* "1", "L", "RGBA", ... as Pillow spells it */

/* rgb: 3 * width * height bytes, may not overlap the image. As Image.convert("RGB"): greys are repeated, alpha is dropped, CMYK
 * is (255-K) reduced by each ink, palette indices are looked up, integers are clamped to 0..255, floats too and cut to integers.
 * Thread-safe. */
void vb_colour_to_rgb(const vb_image *image, uint8_t *rgb);

/* Colours times alpha, and divided by it again: Pillow's RGBA -> RGBa -> RGBA (channels 4) and LA -> La -> LA (channels 2), in
 * 8-bit arithmetic that loses what Pillow loses. Alpha is the last channel. out may be in. Thread-safe. */
void vb_colour_premultiply(uint8_t *out, const uint8_t *in, size_t pixels, int channels);
void vb_colour_unpremultiply(uint8_t *out, const uint8_t *in, size_t pixels, int channels);

#endif
