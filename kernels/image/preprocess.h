/* From an image to a model's pixels: Pillow's resize, a centre crop (of the same side or a smaller one), a frame or the image's
 * own shape, RGB, and (value - mean) / std. */
#ifndef VB_PREPROCESS_H
#define VB_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/patch_grid.h"

/* Pillow's modes, as its decoders hand them out. */
typedef enum vb_mode {
    VB_MODE_1,
    VB_MODE_L,
    VB_MODE_LA,
    VB_MODE_P,
    VB_MODE_RGB,
    VB_MODE_RGBA,
    VB_MODE_CMYK,
    VB_MODE_I,
    VB_MODE_I16, /* "I;16" */
    VB_MODE_F,
    VB_MODE_PA
} vb_mode;

enum { VB_IMAGE_REMARK = 128 };

typedef struct vb_image {
    vb_mode mode;
    int width, height;
    uint8_t *pixels;      /* rows top down, channels interleaved, no padding; VB_MODE_I: int32, I16: uint16, F: float. Owned;
                             free with vb_free */
    uint8_t palette[768]; /* VB_MODE_P and PA: RGB triples */
    char remark[VB_IMAGE_REMARK];   /* what was wrong with the file, "" where it was sound */
    const struct vb_row_sink *sink; /* to a decoder: who takes the rows; NULL: it keeps them in `pixels` */
} vb_image;

/* How an image becomes a square of side R. The words that name a value are vb_preprocess_resizes, _filters and _crops. */
typedef enum vb_resize_mode {
    VB_RESIZE_SHORTEST, /* the short side becomes R, the long side int(R * long / short), then a centre crop */
    VB_RESIZE_SQUASH,   /* both sides become R, whatever the shape; a centre crop where resize_to is more */
    VB_RESIZE_LONGEST   /* the long side becomes R, the short one in proportion; zero bytes around it, before RGB */
} vb_resize_mode;
/* Pillow's filters, stretched by the scale when shrinking. */
typedef enum vb_filter { VB_FILTER_BICUBIC /* a = -0.5 */, VB_FILTER_BILINEAR /* triangle */ } vb_filter;
/* Where the crop begins when d pixels are too many. */
typedef enum vb_crop_offset {
    VB_CROP_ROUND, /* d / 2, halves of one to even: torchvision (OpenAI, open_clip) */
    VB_CROP_FLOOR  /* d / 2 rounded down: Hugging Face's image processors */
} vb_crop_offset;

typedef struct vb_preprocess {
    int resolution;
    bool rgb_first; /* RGB first, as Hugging Face and the paper's code; else resize in the image's own mode, then RGB */
    vb_resize_mode resize;
    vb_filter filter;
    vb_crop_offset crop;
    int max_patches, patch; /* other than 0: no square; the image's shape, in at most so many patches of that side. Of the above
                               rgb_first and filter count, and neither resolution nor resize_to */
    int resize_to;          /* the side before a centre crop to R: R or more, not with longest; 0: R */
    float mean[3], std[3];
} vb_preprocess;

/* The words of the enums, in their order, ending with NULL. */
extern const char *const vb_preprocess_resizes[], *const vb_preprocess_filters[], *const vb_preprocess_crops[];

/* CLIP's constants for a resolution: shortest, bicubic, own mode, rounded crop, OpenAI's mean and std. */
vb_preprocess vb_preprocess_clip(int resolution);

/* Floats that an image takes, at most. */
size_t vb_preprocess_floats(const vb_preprocess *spec);
/* The patches of an image of so many pixels, where spec->max_patches is not 0: the sides grow in proportion, each is rounded up
 * to whole patches, and as long as there are no more than max_patches. VB_EUNSUPPORTED: too long for that. */
int vb_preprocess_grid(const vb_preprocess *spec, int width, int height, vb_patch_grid *grid, vb_error *err);

/* out: 3 x R x R; with max_patches 3 x height x width of the grid. The image is not changed. Thread-safe. VB_EMISMATCH: a
 * resolution or resize_to out of range; VB_EDATA: an image without pixels; VB_EUNSUPPORTED: one too long or too thin, or of a
 * mode that Pillow does not resize; VB_EMEMORY. */
int vb_preprocess_image(const vb_preprocess *spec, const vb_image *image, float *out, vb_error *err);

/* The same in two steps, the first of them row by row, so that no more of an image need be there than a few rows (resize.h): its
 * 8-bit RGB pixels as the model sees them, and their normalisation. */
typedef struct vb_resize_rows vb_resize_rows;
typedef struct vb_preprocess_rows {
    const vb_preprocess *spec;
    vb_resize_rows *resize;
    vb_image row; /* the one at hand, where rows become RGB first, */
    uint8_t *rgb; /* here */
} vb_preprocess_rows;

/* head: mode, size and palette. After a failure there is nothing to free. Errors as below. */
int vb_preprocess_begin(vb_preprocess_rows *rows, const vb_preprocess *spec, const vb_image *head, vb_error *err);
void vb_preprocess_put(vb_preprocess_rows *rows, const uint8_t *row);          /* head->height times */
int vb_preprocess_end(vb_preprocess_rows *rows, vb_image *out, vb_error *err); /* out->pixels is the caller's. VB_EMEMORY */
void vb_preprocess_free(vb_preprocess_rows *rows);                             /* {0} is fine */
void vb_preprocess_normalise(const vb_preprocess *spec, const vb_image *image, float *out);
/* What that makes of byte v of channel c: values[c * 256 + v]. */
enum { VB_PREPROCESS_VALUES = 3 * 256 };
void vb_preprocess_values(const vb_preprocess *spec, float values[VB_PREPROCESS_VALUES]);
/* Bytes that the first step takes, at most, beside the image. */
uint64_t vb_preprocess_bytes(const vb_preprocess *spec, const vb_image *head);

/* One line that names everything that can change a result, for digests and provenance. */
void vb_preprocess_describe(const vb_preprocess *spec, char *text, int size);

#endif
