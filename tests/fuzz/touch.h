/* Reads everything that a reader handed out, so that a sanitizer sees what lies outside, and stops at broken promises. */
#ifndef VB_TOUCH_H
#define VB_TOUCH_H

#include <stdlib.h>
#include <string.h>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"
#include "kernels/text/tokenizer.h"
#include "shards/weights/pickle.h"

static inline void touch_bytes(const void *bytes, uint64_t size) {
    static volatile uint8_t sum;
    for (uint64_t i = 0; i < size; i++) sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
}

/* A failure says why, in one line. */
static inline void touch_error(const vb_error *err) {
    if (err->code == VB_OK || err->code == VB_EINTERNAL || !err->text[0] || strchr(err->text, '\n')) abort();
}

/* First, last and some elements of each, in bounds by the strides. Names come sorted, each once. */
static inline void touch_tensors(const vb_tensor_set *set) {
    static volatile float sum;
    for (size_t i = 0; i < set->count; i++) {
        const vb_tensor *tensor = &set->items[i].tensor;
        if (i && strcmp(set->items[i - 1].name, set->items[i].name) >= 0) abort();
        if (vb_tensor_find(set, set->items[i].name) != tensor) abort();
        int64_t count = vb_tensor_count(tensor), step = count > 1000 ? count / 1000 : 1;
        if (count < 0) abort();
        for (int64_t e = 0; e < count; e += step) sum = sum + vb_tensor_at(tensor, e);
        if (count) sum = sum + vb_tensor_at(tensor, count - 1);
    }
}

static inline void touch_value(const vb_value *value, int depth) {
    if (!value || depth > 12) return;
    touch_bytes(vb_pickle_value_kind_name(value->kind), 1);
    switch (value->kind) {
    case VB_VALUE_TEXT:
    case VB_VALUE_BYTES:
    case VB_VALUE_BIG: touch_bytes(value->text, value->size); break;
    case VB_VALUE_TUPLE:
    case VB_VALUE_LIST:
    case VB_VALUE_DICT:
    case VB_VALUE_SET:
    case VB_VALUE_OBJECT:
        if (value->pairs && value->count % 2) abort();
        for (size_t i = 0; i < value->count && i < 16; i++) touch_value(value->items[i], depth + (value->count > 1 ? 3 : 1));
        vb_pickle_value_get(value, "key");
        break;
    default: break;
    }
    touch_value(value->class, depth + 3);
    touch_value(value->args, depth + 3);
    touch_value(value->state, depth + 3);
}

/* A tokenizer cuts any text into ids of its own, and is closed. */
static inline void touch_tokenizer(vb_tokenizer *tokenizer) {
    static const char text[] = "a b\xe2\x96\x81 <s>\xc3\xa9 ab  AB\n\xef\xbd\x81";
    vb_error err = {0};
    int32_t ids[32];
    const int n = vb_tokenizer_cut(tokenizer, text, sizeof text - 1, 32, ids, &err);
    if (n < 0) touch_error(&err);
    for (int i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= vb_tokenizer_size(tokenizer)) abort();
    vb_tokenizer_close(tokenizer);
}

#endif
