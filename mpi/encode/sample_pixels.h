/* One sample to the pixels that a model sees, row by row, within the rank's decoding memory. */
#ifndef VB_SAMPLE_PIXELS_H
#define VB_SAMPLE_PIXELS_H

#include <stdatomic.h>

#include "mpi/encode/decode_budget.h"
#include "shards/datasets/dataset.h"

/* What decoding needs beside the sample. */
typedef struct vb_sample_decoder {
    const vb_preprocess *spec;
    vb_decode_budget *budget;
    const atomic_bool *cancelled; /* looked at before memory is taken, and between rows: VB_EINCOMPLETE; or NULL */
} vb_sample_decoder;

typedef struct vb_sample_pixels {
    vb_image square;    /* RGB; square.pixels is the caller's (vb_free) */
    vb_patch_grid grid; /* of a spec with max_patches */
    char remark[VB_IMAGE_REMARK];
} vb_sample_pixels;

/* Errors begin with the sample's name. VB_EMEMORY also where the image needs more than the budget. Thread-safe. */
int vb_sample_pixels_make(const vb_sample_decoder *decoder, const vb_sample *sample, vb_sample_pixels *out, vb_error *err);

/* Whether an error is of the image itself, so that it may be skipped: lack of memory, a stop and an injected fault are not. */
bool vb_sample_pixels_is_broken(const vb_error *err);

#endif
