/* Activations as kernels/matrix/lanes_math.h has them, operation by operation: the coefficients are explained there. Stands
 * before every other text. Options: VB_DIVIDES where the device promises correctly rounded fp32 divisions. */
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL FP_CONTRACT OFF

#define MAGIC 12582912.0f
#define LINEAR 0
#define QUICK_GELU 1
#define GELU 2
#define GELU_TANH 3
#define SILU 4
#define RELU 5
#define SIGMOID 6

/* `flags`: which optional arrays a kernel gets, the bits of gpu_product.h. */
#define HAS_SCALE 1
#define HAS_BIAS 2
#define HAS_GATE 4
#define HAS_RESIDUAL 8

/* In fp64, of which OpenCL promises that division is correctly rounded, and rounding that once more changes nothing: a quotient
 * of floats is nowhere so near the middle between two floats (subnormal ones included) that 53 bits would not tell. */
static float divide(float a, float b) {
#ifdef VB_DIVIDES
    return a / b;
#else
    return (float)((double)a / (double)b);
#endif
}

/* As lanes_max and lanes_min: a NaN in y passes through. */
static float larger(float x, float y) { return x > y ? x : y; }
static float smaller(float x, float y) { return x < y ? x : y; }

static float power_of_two(int n) { return as_float((uint)(n + 127) << 23); }

/* x * 2^n for t = MAGIC + n. */
static float scale_by(float x, float t) {
    const int n = as_int(t) - 0x4b400000, part = n >> 1;
    return x * power_of_two(part) * power_of_two(n - part);
}

static float exp2_core(float r) {
    float p = 0x1.41d334p-13f;
    p = fma(p, r, 0x1.5f456ap-10f);
    p = fma(p, r, 0x1.3b2dbcp-7f);
    p = fma(p, r, 0x1.c6aed4p-5f);
    p = fma(p, r, 0x1.ebfbdap-3f);
    p = fma(p, r, 0x1.62e430p-1f);
    return fma(p, r, 1.0f);
}

static float exponential(float x) {
    x = smaller(90.0f, larger(-105.0f, x));
    const float t = fma(x, 0x1.715476p+0f, MAGIC);
    const float r = fma(x, 0x1.4ae0c0p-26f, fma(x, 0x1.715476p+0f, MAGIC - t));
    return scale_by(exp2_core(r), t);
}

static float spoil_minus_infinity(float x, float y) { return x < -FLT_MAX ? NAN : y; }

static float times_sigmoid(float x, float high, float low, float bound) {
    const float a = smaller(bound, fabs(x));
    const float t = fma(a, high, MAGIC);
    const float p = exp2_core(fma(a, low, fma(a, high, MAGIC - t)));
    const float below = 0.0f - scale_by(a * p, t);
    const float y = divide(x < 0.0f ? below : x, 1.0f + scale_by(p, t));
    return spoil_minus_infinity(x, y);
}

static float gelu(float x) {
    const float high = -0x1.715476p-1f, low = -0x1.4ae0c0p-27f;
    const float a = smaller(15.0f, fabs(x));
    const float square = a * a, rest = fma(a, a, 0.0f - square);
    const float t = fma(square, high, MAGIC);
    const float r = fma(square, low, fma(square, high, MAGIC - t));
    const float p = exp2_core(fma(rest, high, r));
    const float inverse = divide(1.0f, a + 2.5f);
    const float q = (a - 2.5f) * inverse;
    float g = -0x1.68fd9cp-13f;
    g = fma(g, q, -0x1.557602p-12f);
    g = fma(g, q, 0x1.715e7ep-11f);
    g = fma(g, q, 0x1.4d32a0p-9f);
    g = fma(g, q, -0x1.a63fbcp-10f);
    g = fma(g, q, -0x1.0c9840p-6f);
    g = fma(g, q, 0x1.2eb4acp-7f);
    g = fma(g, q, 0x1.0e4fbcp-3f);
    g = fma(g, q, -0x1.bc19cap-2f);
    g = fma(g, q, 0x1.69cee6p-1f);
    const float tail = scale_by((a * inverse) * (g * p), t);
    return spoil_minus_infinity(x, (x < 0.0f ? 0.0f : x) - tail);
}

static float sigmoid(float x) {
    const float e = exponential(0.0f - fabs(x));
    return divide(x < 0.0f ? e : 1.0f, 1.0f + e);
}

static float gelu_tanh(float x) {
    const float c_high = 0x1.26aec2p+1f, c_low = 0x1.bce75ap-27f;
    const float d_high = 0x1.a5a7d0p-4f, d_low = -0x1.151aaep-29f;
    const float a = smaller(12.0f, fabs(x));
    const float square = a * a, rest = fma(a, a, 0.0f - square);
    const float cubic = square * d_high, left = fma(square, d_high, 0.0f - cubic);
    const float sum = c_high + cubic, part = sum - c_high;
    float lost = (c_high - (sum - part)) + (cubic - part);
    lost = (lost + left) + fma(rest, d_high, fma(square, d_low, c_low));
    const float z = a * sum, z_rest = fma(a, lost, fma(a, sum, 0.0f - z));
    const float t = MAGIC - z;
    const float r = ((MAGIC - t) - z) - z_rest;
    const float p = exp2_core(r);
    const float below = 0.0f - scale_by(a * p, t);
    const float y = divide(x < 0.0f ? below : x, 1.0f + scale_by(p, t));
    return spoil_minus_infinity(x, y);
}

static float activate(float x, int kind) {
    switch (kind) {
    case QUICK_GELU: return times_sigmoid(x, -0x1.3a4cbep+1f, 0x1.c08ecap-26f, 64.0f);
    case GELU: return gelu(x);
    case GELU_TANH: return gelu_tanh(x);
    case SILU: return times_sigmoid(x, -0x1.715476p+0f, -0x1.4ae0c0p-26f, 112.0f);
    case RELU: return larger(0.0f, x);
    case SIGMOID: return sigmoid(x);
    default: return x;
    }
}

/* An element of a stored matrix: 0: fp32, 1: fp16, 2: bf16; widened exactly. */
static float widen_half(uint bits) {
    const uint sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 31) return as_float(sign | 0x7f800000u | fraction << 13);
    if (exponent) return as_float(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = (float)fraction * 0x1p-24f; /* exact: a normal float, or zero */
    return sign ? -tiny : tiny;
}
static float widen(uint bits, int type) { return type == 1 ? widen_half(bits) : as_float(bits << 16); }
