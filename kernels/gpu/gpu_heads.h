/* What the host works out for attention: where queries and keys begin, which keys are hidden, in which rows those of texts lie.
 * Private to kernels/gpu/. */
#ifndef VB_GPU_HEADS_H
#define VB_GPU_HEADS_H

#include "kernels/gpu/gpu_operations.h"

typedef struct vb_gpu_heads {
    cl_mem queries, keys, hidden, paths;          /* NULL: none of them */
    size_t offsets_size, hidden_size, paths_size; /* bytes */
    int64_t most_queries, most_keys;              /* of an item */
} vb_gpu_heads;

/* *heads: all zeros before. Free it in any case; at once, OpenCL keeps the buffers while it needs them. */
int vb_gpu_heads_put(vb_gpu_heads *heads, const vb_gpu_piece *piece, const vb_operation *operation, vb_error *err);
void vb_gpu_heads_free(vb_gpu_heads *heads, vb_gpu_device *device);

#endif
