/* Pooling by a learned query (MAP: multi-head attention pooling), as SigLIP and the Perception Encoder have it. */
#ifndef VB_MAP_POOL_H
#define VB_MAP_POOL_H

#include "kernels/towers/binder.h"

typedef struct vb_map_pool {
    int width, heads;
    vb_activation activation;
    float epsilon;
} vb_map_pool;

/* One row an item: y = out(attention of the query PREFIX.probe over all rows of x), then y + mlp(norm(y)). Tensors
 * PREFIX.attn.in_proj_{weight,bias} or PREFIX.attn.{q,kv}.*, PREFIX.attn.out_proj.*, PREFIX.layernorm.*, PREFIX.mlp.c_fc.*,
 * PREFIX.mlp.c_proj.*. VB_NO_VALUE on errors. */
int vb_map_pool_emit(vb_binder *binder, const vb_map_pool *facts, int x, const char *prefix);

#endif
