/* Element types of stored numbers, and how they become float. */
#ifndef VB_DTYPE_H
#define VB_DTYPE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum vb_dtype {
    VB_F32,
    VB_F16,
    VB_BF16,
    VB_F64,
    VB_I8,
    VB_U8,
    VB_I16,
    VB_I32,
    VB_I64,
    VB_BOOL,
    VB_OPAQUE, /* none that is read here (complex numbers, fp8, quantised ones): its data is never read, its elements are NaN */
    VB_DTYPES
} vb_dtype;

size_t vb_dtype_size(vb_dtype dtype);      /* bytes an element; 0: VB_OPAQUE */
const char *vb_dtype_name(vb_dtype dtype); /* "fp32", "fp16", "bf16", "int64", ... */

float vb_dtype_half_to_float(uint16_t half);  /* exact */
float vb_dtype_bf16_to_float(uint16_t bf16);  /* exact */
uint16_t vb_dtype_float_to_half(float value); /* round to nearest even, as IEEE 754 */

/* The element of type fp32, fp16 or bf16 at `at`, which need not be aligned, as float: exact. Inline, for inner loops. */
static inline float vb_dtype_load(vb_dtype dtype, const void *at) {
    assert(dtype <= VB_BF16);
    float value;
    uint16_t half;
    if (dtype == VB_F32) {
        memcpy(&value, at, sizeof value);
        return value;
    }
    memcpy(&half, at, sizeof half);
    return dtype == VB_F16 ? vb_dtype_half_to_float(half) : vb_dtype_bf16_to_float(half);
}

/* The element of any type at `at`, which need not be aligned, as float: exact where float can hold it, rounded otherwise
 * (fp64, large integers). */
float vb_dtype_to_float(vb_dtype dtype, const void *at);

/* The same of `count` elements side by side. The plain reference of kernels/base/dtype_avx2.h and dtype_avx512.h. */
void vb_dtype_widen(vb_dtype dtype, const void *row, int64_t count, float *out);

#endif
