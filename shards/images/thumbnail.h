/* Small JPEG copies of images, to be shown in pages. */
#ifndef VB_THUMBNAIL_H
#define VB_THUMBNAIL_H

#include <stddef.h>

#include "kernels/image/preprocess.h"

/* The image scaled so that neither side exceeds `side` pixels (smaller ones stay as they are), what is transparent on white.
 * *jpeg (free with vb_free) has *size bytes; width and height are those of the copy. The same bytes always with the same libjpeg.
 * Thread-safe. */
int vb_thumbnail(const vb_image *image, int side, uint8_t **jpeg, size_t *size, int *width, int *height, vb_error *err);

#endif
