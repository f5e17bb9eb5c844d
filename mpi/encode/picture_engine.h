/* What the pipeline asks of whatever encodes pictures: the processor's towers, a device, or a test. Types only. */
#ifndef VB_PICTURE_ENGINE_H
#define VB_PICTURE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/patch_grid.h"

typedef struct vb_picture_engine {
    /* n pictures, `floats` apart, normalised; grids: one each where the tower sees any shape, else NULL. out: n x dim. A row must
     * not depend on the other pictures. Called by one thread, which may sleep in it while a device computes: decoders go on. 0,
     * or -1: VB_EDATA where a row is not finite, VB_EINCOMPLETE where it was asked to stop. */
    int (*encode)(void *context, const float *pixels, const vb_patch_grid *grids, int n, float *out, vb_error *err);
    /* The same of pictures of one shape as 8-bit RGB, `floats` bytes each, which are normalised there: a quarter of what is to be
     * moved to a device. NULL: floats are wanted. */
    int (*encode_bytes)(void *context, const uint8_t *bytes, int n, float *out, vb_error *err);
    void *context;
    size_t floats; /* of a picture */
    int dim;
} vb_picture_engine;

#endif
