/* Weights of a tower that are brought into the layout of the kernels once, instead of with every batch: B of its products packed
 * (gemm.h), filters of its 3 x 3 layers through Winograd's transforms (winograd.h).
 *
 * A batch pays for that whatever its size. Packing takes up to a fifth of the time of ViT-B/32's products with one image, up to
 * a tenth with eight (docs/measurements.md): so products of few rows keep theirs, in fp32, as large as fp32 weights are.
 * Transformed filters are four times as large, and pay with one or two images alone. The operations lie in one array of
 * floats, so that whoever owns it may share it. */
#ifndef VB_KEPT_WEIGHTS_H
#define VB_KEPT_WEIGHTS_H

#include "kernels/towers/program.h"

enum {
    VB_KEPT_WEIGHTS_ROWS = 512,  /* of a product, at most */
    VB_KEPT_WEIGHTS_FILTERS = 2, /* images of a batch, at most, for transformed filters */
    VB_KEPT_WEIGHTS_MIB = 512    /* of a program */
};

/* Floats that they take for batches of so many items: 0 where it is not worth it. An operation whose weights do not fit into what
 * is left of the bound keeps none. */
size_t vb_kept_weights_floats(const vb_program *program, int64_t batch);
/* One of several that make them together: it makes those of each operation whose number leaves `part` when divided by `parts`. */
typedef struct vb_kept_share {
    int part, parts, threads;
} vb_kept_share;
/* Makes them for the level in use in an array of so many floats. VB_EMEMORY. */
int vb_kept_weights_fill(const vb_program *program, int64_t batch, float *floats, const vb_kept_share *share, vb_error *err);
/* From now on the program reads them there, where they must stay; NULL: it keeps none. Not while it runs. */
void vb_kept_weights_use(vb_program *program, int64_t batch, const float *floats);

#endif
