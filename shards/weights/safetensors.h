/* The safetensors container: tensors as they lie in the file, under the names that it gives them. */
#ifndef VB_SAFETENSORS_H
#define VB_SAFETENSORS_H

#include "kernels/base/tensor.h"
#include "shards/files/map.h"

/* *set: every tensor under its name in the file, sorted by name. Every offset and length is checked against the file, which the
 * tensors must cover without gap or overlap. *storage holds items and names: free with vb_free; the tensors are views into the
 * map. VB_EDATA for a damaged file, VB_EUNSUPPORTED for other dtypes or more than VB_MAX_DIMS dimensions; both name the
 * tensor. */
int vb_safetensors_parse(vb_tensor_set *set, void **storage, const vb_map *map, const char *path, vb_error *err);

#endif
