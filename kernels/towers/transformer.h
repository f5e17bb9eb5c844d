/* Transformer blocks, as CLIP's ViTs and text towers have them, and as EVA's, PE's, ViTamin's and BERT's differ. */
#ifndef VB_TRANSFORMER_H
#define VB_TRANSFORMER_H

#include "kernels/towers/binder.h"

typedef struct vb_transformer_facts {
    int width, heads;
    bool causal, hides_padding; /* as vb_heads has them */
    vb_activation activation;   /* of the hidden layer, or of its gate */
    float epsilon;
    int first;      /* the index of the first block in names */
    bool whole;     /* every row is computed to the end */
    vb_pick pooled; /* else the one row of an item that is */
    /* What CLIP's blocks lack: */
    bool key_without_bias;       /* attn.q_proj.bias and attn.v_proj.bias, also beside attn.in_proj_weight */
    bool gated;                  /* the hidden layer is act(mlp.c_gate x) times mlp.c_fc x */
    bool inner_norms;            /* attn.norm of the heads' results, mlp.norm of the hidden layer */
    bool hidden_norm;            /* mlp.norm too in front of the hidden layer, behind ln_2 */
    bool post_norms;             /* ln_1 and ln_2 follow attention and MLP, in front of the residual, instead of beginning them */
    bool sum_norms;              /* ln_1 and ln_2 follow the sums with the residuals: BERT's blocks */
    const vb_rotation *rotation; /* of queries and keys; NULL: none. A row that is pooled must be among the skipped ones */
} vb_transformer_facts;

/* Writes blocks PREFIX.resblocks.0 (or .first), .1, ... on x (rows of `width`), and sets *layers to their number. The value is
 * all rows, or the pooled row of each item: the last block computes keys and values of every row, and all else for that row
 * alone. VB_NO_VALUE on errors. */
int vb_transformer_emit(vb_binder *binder, const vb_transformer_facts *facts, int x, const char *prefix, int *layers);

#endif
