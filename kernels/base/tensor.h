/* Plain types that every floor shares: tensors as views of memory, and sets of them by name. */
#ifndef VB_TENSOR_H
#define VB_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/dtype.h"

enum { VB_MAX_DIMS = 8 };

/* A view; whoever made it owns the bytes. Strides count elements. `data` may be unaligned (mapped files). */
typedef struct vb_tensor {
    vb_dtype dtype;
    int ndim;
    int64_t shape[VB_MAX_DIMS];
    int64_t stride[VB_MAX_DIMS];
    const void *data;
} vb_tensor;

typedef struct vb_named_tensor {
    const char *name;
    vb_tensor tensor;
} vb_named_tensor;

/* The weights of a model under canonical names (OpenAI's), sorted by name (strcmp). */
typedef struct vb_tensor_set {
    size_t count;
    vb_named_tensor *items;
} vb_tensor_set;

/* The tensor of that name, or NULL. */
const vb_tensor *vb_tensor_find(const vb_tensor_set *set, const char *name);

/* Whether the name of any begins so. */
bool vb_tensor_has_prefix(const vb_tensor_set *set, const char *prefix);

/* The bytes of a shape that a file states, 0 with a dimension of none; false when its others, of which strides are made,
 * come to 2^63 bytes or more. `element`: bytes of one. */
bool vb_tensor_shape_bytes(const int64_t *shape, int ndim, size_t element, uint64_t *bytes);

/* Fills in row-major strides from the shape. */
void vb_tensor_pack_strides(vb_tensor *tensor);

int64_t vb_tensor_count(const vb_tensor *tensor); /* elements */

/* Element at the flat row-major index, as float (fp16, bf16 and integers widened exactly where float can hold them). */
float vb_tensor_at(const vb_tensor *tensor, int64_t index);

#endif
