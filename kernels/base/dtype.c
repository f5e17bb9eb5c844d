/* Element types: sizes, names, exact widening of fp16 and bf16 to float, and rounding back. */
#include "kernels/base/dtype.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const struct {
    size_t size;
    const char *name;
} dtypes[VB_DTYPES] = {[VB_F32] = {4, "fp32"},
                       [VB_F16] = {2, "fp16"},
                       [VB_BF16] = {2, "bf16"},
                       [VB_F64] = {8, "fp64"},
                       [VB_I8] = {1, "int8"},
                       [VB_U8] = {1, "uint8"},
                       [VB_I16] = {2, "int16"},
                       [VB_I32] = {4, "int32"},
                       [VB_I64] = {8, "int64"},
                       [VB_BOOL] = {1, "bool"},
                       [VB_OPAQUE] = {0, "a type that is not read here"}};

static_assert(sizeof dtypes / sizeof *dtypes == VB_DTYPES, "a row for every element type");

size_t vb_dtype_size(vb_dtype dtype) {
    assert(dtype < VB_DTYPES);
    return dtypes[dtype].size;
}

const char *vb_dtype_name(vb_dtype dtype) {
    assert(dtype < VB_DTYPES);
    return dtypes[dtype].name;
}

float vb_dtype_bf16_to_float(uint16_t bf16) {
    uint32_t bits = (uint32_t)bf16 << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float vb_dtype_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 1023, bits;
    if (exponent == 31) bits = sign | 0x7f800000 | fraction << 13;
    else if (exponent) bits = sign | (exponent + 112) << 23 | fraction << 13;
    else {
        float value = ldexpf((float)fraction, -24); /* zero and subnormal halves are exact floats */
        return sign ? -value : value;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t vb_dtype_float_to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x477ff000) return sign | 0x7c00; /* rounds to 65536 or above */
    if (magnitude < 0x38800000) {                      /* below 2^-14: a subnormal half, in units of 2^-24 */
        float units = fabsf(value) * 16777216.0f;
        return sign | (uint16_t)nearbyintf(units);
    }
    uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return sign | (uint16_t)((rounded >> 13) - (112u << 10));
}

float vb_dtype_to_float(vb_dtype dtype, const void *at) {
    switch (dtype) {
    case VB_F32:
    case VB_F16:
    case VB_BF16: return vb_dtype_load(dtype, at);
    case VB_F64: {
        double v;
        memcpy(&v, at, sizeof v);
        return (float)v;
    }
    case VB_I8: return (float)*(const int8_t *)at;
    case VB_U8:
    case VB_BOOL: return (float)*(const uint8_t *)at;
    case VB_I16: {
        int16_t v;
        memcpy(&v, at, sizeof v);
        return (float)v;
    }
    case VB_I32: {
        int32_t v;
        memcpy(&v, at, sizeof v);
        return (float)v;
    }
    case VB_I64: {
        int64_t v;
        memcpy(&v, at, sizeof v);
        return (float)v;
    }
    case VB_OPAQUE:
    case VB_DTYPES: break;
    }
    return NAN;
}

void vb_dtype_widen(vb_dtype dtype, const void *row, int64_t count, float *out) {
    assert(count >= 0);
    const char *at = row;
    switch (dtype) {
    case VB_F32:
        if (count) memcpy(out, at, (size_t)count * sizeof *out);
        return;
    case VB_F16:
    case VB_BF16:
        for (int64_t i = 0; i < count; i++) out[i] = vb_dtype_load(dtype, at + 2 * i);
        return;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = vb_dtype_to_float(dtype, at + i * (int64_t)vb_dtype_size(dtype));
    }
}
