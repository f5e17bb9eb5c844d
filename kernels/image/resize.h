/* Pillow's Image.resize(size, BICUBIC or BILINEAR) followed by crop: only the pixels of the crop are computed, with the bits of
 * the whole. */
#ifndef VB_RESIZE_H
#define VB_RESIZE_H

#include "kernels/image/preprocess.h"

/* The image is scaled to width x height; of that, the crop's pixels are wanted. The crop lies inside and is not empty. */
typedef struct vb_resize_to {
    int width, height;
    int left, top, crop_width, crop_height;
    vb_filter filter;
} vb_resize_to;

/* out: crop_width x crop_height in the image's own mode, palette copied; out->pixels is owned by the caller (vb_free), NULL on
 * failure.
 *
 * What Pillow 9.4 does by mode: the unchanged size is a copy; "1" and "P" take the nearest pixel; "LA" and "RGBA" go through
 * premultiplied alpha; 8-bit channels are resampled along rows, rounded to 8 bits, then along columns, with weights of 22
 * fractional bits; "I" and "F" the same in doubles, rounded to integers and floats; "PA" as if indices were levels, and its
 * palette becomes a grey ramp; "I;16" is not resized at all. The filter is Keys' cubic (a = -0.5, two pixels to each side) or a
 * triangle (one pixel), stretched by the scale when shrinking.
 * Thread-safe. VB_EUNSUPPORTED: I;16. VB_EINTERNAL when sizes contradict the above. */
int vb_resize(const vb_image *image, const vb_resize_to *to, vb_image *out, vb_error *err);

/* The same of an image whose rows come one after the other, top down: the first pass is done as they come, the second as soon as
 * it can be, and what no row to come needs is dropped. So a whole image of any size takes the memory of some rows of the crop's
 * width. Of `head` mode, size and palette count. Errors as above. */
int vb_resize_rows_new(vb_resize_rows **rows, const vb_image *head, const vb_resize_to *to, vb_error *err);
void vb_resize_rows_put(vb_resize_rows *rows, const uint8_t *row); /* head->height times */
void vb_resize_rows_take(vb_resize_rows *rows, vb_image *out);     /* then once; out->pixels is owned by the caller */
void vb_resize_rows_free(vb_resize_rows *rows);                    /* NULL is fine */

/* Bytes that this takes, at most: what is asked for before it is taken. */
uint64_t vb_resize_bytes(const vb_image *head, const vb_resize_to *to);

#endif
