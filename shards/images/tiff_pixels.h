/* What the samples of a TIFF become in Pillow: the mode, and rows of it. For shards/images/ only. */
#ifndef VB_TIFF_PIXELS_H
#define VB_TIFF_PIXELS_H

#include "kernels/image/preprocess.h"
#include "shards/images/tiff_tags.h"

typedef struct vb_tiff_layout {
    vb_mode mode;
    int bits, samples;            /* of a pixel in a row of the file; samples beyond the mode's channels are passed over */
    bool inverted, premultiplied; /* greys from white to black; colours to be divided by alpha */
    bool is_signed, real;
} vb_tiff_layout;

/* VB_EUNSUPPORTED, naming what the file has, where Pillow has no mode for it. */
int vb_tiff_pixels_layout(vb_tiff_layout *layout, const vb_tiff_tags *tags, const char *name, vb_error *err);

/* Bytes of a row of `width` pixels. */
size_t vb_tiff_pixels_row(const vb_tiff_layout *layout, size_t width);

/* `count` pixels. swapped: samples of 16 and 32 bits have the other order of bytes; out: pixels of the mode. */
void vb_tiff_pixels_unpack(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count, bool swapped);

/* One channel of pixels that lie in planes: 8 or 16 bits a sample, of which 8 are kept. */
void vb_tiff_pixels_plane(const vb_tiff_layout *layout, uint8_t *out, const uint8_t *in, size_t count, int channel);

/* Colours divided by alpha, of `count` pixels of mode RGBA. */
void vb_tiff_pixels_divide(uint8_t *pixels, size_t count);

/* Turns the image as orientation 2 to 8 says, as Pillow does when a TIFF is loaded. VB_EMEMORY. */
int vb_tiff_pixels_turn(vb_image *image, int orientation, vb_error *err);

#endif
