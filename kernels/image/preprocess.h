/* Pillow's resize in the image's own mode, centre crop, RGB and CLIP's normalisation. */
#ifndef VB_PREPROCESS_H
#define VB_PREPROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Pillow's modes, as its decoders hand them out. */
typedef enum vb_mode { VB_MODE_1, VB_MODE_L, VB_MODE_LA, VB_MODE_P, VB_MODE_RGB, VB_MODE_RGBA, VB_MODE_CMYK, VB_MODE_I } vb_mode;

typedef struct vb_image {
    vb_mode mode;
    int width, height;
    uint8_t *pixels;      /* rows top down, channels interleaved, no padding; VB_MODE_I: int32. Owned; free with vb_free */
    uint8_t palette[768]; /* VB_MODE_P: RGB triples */
} vb_image;

typedef struct vb_preprocess {
    int resolution;
    bool rgb_first; /* RGB first, as the paper's code; else OpenAI's order: resize in the image's own mode, then RGB */
    float mean[3], std[3];
} vb_preprocess;

/* CLIP's constants for a resolution. */
vb_preprocess vb_preprocess_clip(int resolution);

/* out: 3 x R x R. The image is not changed. Thread-safe. VB_EMISMATCH: a resolution out of range; VB_EDATA: an image without
 * pixels; VB_EUNSUPPORTED: one too long; VB_EMEMORY. */
int vb_preprocess_image(const vb_preprocess *spec, const vb_image *image, float *out, vb_error *err);

/* One line that names everything that can change a result, for digests and provenance. */
void vb_preprocess_describe(const vb_preprocess *spec, char *text, int size);

#endif
