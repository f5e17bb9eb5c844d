/* Decoding of JPEG, PNG and WebP to the mode and the pixels that Pillow would hand out. */
#ifndef VB_IMAGE_H
#define VB_IMAGE_H

#include <stddef.h>

#include "kernels/image/preprocess.h"

/* The format is found from the bytes, not from the name. `name` is for messages. VB_EDATA for truncated or corrupt files,
 * VB_EUNSUPPORTED for other formats. Bounded: more than 2^28 pixels are refused. Free image->pixels with vb_free. Thread-safe. */
int vb_image_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);

/* Lossless PNG of an RGB image, the same bytes always: for packing raw pixels. Free *png with vb_free. */
int vb_image_encode_png(const uint8_t *rgb, int width, int height, uint8_t **png, size_t *size, vb_error *err);

/* Whether the name ends in a known image suffix (.jpg .jpeg .png .webp, any case). */
int vb_image_suffix(const char *name);

#endif
