/* The decoders behind vb_image_decode, one a format. Private to shards/images/image.c and the codecs. */
#ifndef VB_CODEC_H
#define VB_CODEC_H

#include "shards/images/image.h"

/* All three: `image` starts empty; on success image->pixels is owned by the caller, on failure it is NULL. Messages begin with
 * `name`. Thread-safe, nothing is printed. */
int vb_jpeg_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);
int vb_png_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);
int vb_webp_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);

/* Checks the dimensions and the bound of 2^28 pixels, sets mode, width and height and allocates the pixels. */
int vb_image_reserve(vb_image *image, vb_mode mode, uint64_t width, uint64_t height, const char *name, vb_error *err);

#endif
