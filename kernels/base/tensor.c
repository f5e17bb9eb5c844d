/* Tensors: strides, counts, single elements, lookup by name. */
#include "kernels/base/tensor.h"

#include <assert.h>
#include <string.h>

const vb_tensor *vb_tensor_find(const vb_tensor_set *set, const char *name) {
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, set->items[middle].name);
        if (!order) return &set->items[middle].tensor;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

bool vb_tensor_has_prefix(const vb_tensor_set *set, const char *prefix) {
    for (size_t i = 0; i < set->count; i++)
        if (!strncmp(set->items[i].name, prefix, strlen(prefix))) return true;
    return false;
}

bool vb_tensor_shape_bytes(const int64_t *shape, int ndim, size_t element, uint64_t *bytes) {
    uint64_t whole = element;
    bool empty = false;
    for (int i = 0; i < ndim; i++) {
        assert(shape[i] >= 0);
        if (!shape[i]) empty = true;
        else if (__builtin_mul_overflow(whole, (uint64_t)shape[i], &whole) || whole > INT64_MAX) return false;
    }
    *bytes = empty ? 0 : whole;
    return true;
}

void vb_tensor_pack_strides(vb_tensor *tensor) {
    assert(tensor->ndim >= 0 && tensor->ndim <= VB_MAX_DIMS);
    int64_t stride = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        tensor->stride[i] = stride;
        stride *= tensor->shape[i];
    }
}

int64_t vb_tensor_count(const vb_tensor *tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor->ndim; i++) count *= tensor->shape[i];
    return count;
}

float vb_tensor_at(const vb_tensor *tensor, int64_t index) {
    assert(index >= 0);
    int64_t offset = 0;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        offset += index % tensor->shape[i] * tensor->stride[i];
        index /= tensor->shape[i];
    }
    return vb_dtype_to_float(tensor->dtype, (const char *)tensor->data + offset * (int64_t)vb_dtype_size(tensor->dtype));
}
