/* Pre-norm transformer blocks, as CLIP's ViTs and text towers have them. */
#ifndef VB_TRANSFORMER_H
#define VB_TRANSFORMER_H

#include "kernels/towers/binder.h"

typedef struct vb_transformer_facts {
    int width, heads;
    bool causal;
    vb_activation activation;
    float epsilon;
    bool whole;     /* every row is computed to the end */
    vb_pick pooled; /* else the one row of an item that is */
} vb_transformer_facts;

/* Writes blocks PREFIX.resblocks.0, .1, ... on x (rows of `width`), and sets *layers to their number. The value is all rows,
 * or the pooled row of each item: the last block computes keys and values of every row, and all else for that row alone.
 * VB_NO_VALUE on errors. */
int vb_transformer_emit(vb_binder *binder, const vb_transformer_facts *facts, int x, const char *prefix, int *layers);

#endif
