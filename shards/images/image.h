/* Decoding of image files (the rows of codec.h) to the mode and the pixels that Pillow would hand out. */
#ifndef VB_IMAGE_H
#define VB_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/image/preprocess.h"
#include "shards/images/row_sink.h"

/* The format is found from the bytes, not from the name. `name` is for messages. VB_EDATA for truncated or corrupt files,
 * VB_EUNSUPPORTED for other formats. Bounded: more pixels than Pillow takes (178956970) are refused before there is memory for
 * them. What a decoder had to pass over or make up stands in image->remark. Free image->pixels with vb_free. Thread-safe. */
int vb_image_decode(vb_image *image, const void *bytes, size_t size, const char *name, vb_error *err);

/* The same, handed to `sink` row by row: JPEG and PNG (but for interlaced ones) as they are decoded, others from the whole image.
 * image: mode, size, palette and remark, no pixels. What the sink refuses ends decoding with its error. Thread-safe. */
int vb_image_decode_rows(vb_image *image, const vb_row_sink *sink, const void *bytes, size_t size, const char *name,
                         vb_error *err);

/* Raised when files can be read, or are read as other pixels, that an earlier version refused or read otherwise: what was kept of
 * broken images under another number is looked at again. */
enum { VB_IMAGE_DECODERS = 2 };

/* Lossless PNG of an RGB image, the same bytes always: for packing raw pixels. Free *png with vb_free. */
int vb_image_encode_png(const uint8_t *rgb, int width, int height, uint8_t **png, size_t *size, vb_error *err);

/* Whether a file's name ends in a suffix of images that are decoded here (those of the codecs' rows), in any case; whether this
 * is such a suffix ("jpg", without dot); all of them ("jpg, jpeg, ..."), for messages. */
enum { VB_IMAGE_SUFFIXES = 160 };
bool vb_image_has_suffix(const char *name);
bool vb_image_is_suffix(const char *suffix);
const char *vb_image_suffixes(char text[VB_IMAGE_SUFFIXES]);

/* The suffix ("jpg") of the format that the bytes begin like, NULL when they are of none that is decoded here. */
const char *vb_image_format_suffix(const void *bytes, size_t size);

#endif
