/* Reads everything that a reader handed out, so that a sanitizer sees what lies outside, and stops at broken promises. */
#ifndef VB_TOUCH_H
#define VB_TOUCH_H

#include <stdlib.h>
#include <string.h>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"
#include "kernels/text/tokenizer.h"

static inline void touch_bytes(const void *bytes, uint64_t size) {
    static volatile uint8_t sum;
    for (uint64_t i = 0; i < size; i++) sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
}

/* A failure says why, in one line. */
static inline void touch_error(const vb_error *err) {
    if (err->code == VB_OK || err->code == VB_EINTERNAL || !err->text[0] || strchr(err->text, '\n')) abort();
}

/* The same of bytes that only ranks send each other: that they are none is a defect of the program. */
static inline void touch_internal_error(const vb_error *err) {
    if (err->code != VB_EINTERNAL || !err->text[0]) touch_error(err);
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
