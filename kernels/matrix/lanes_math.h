/* exp, QuickGELU, exact GELU, its approximation by tanh, SiLU and ReLU on sixteen lanes: one polynomial each, the same bits at
 * every instruction set level.
 *
 * Internal. The relative error is below 3e-7, for the exact GELU below 4e-7; NaN stays NaN. The coefficients are minimax fits of
 * the relative error in double, rounded to float one by one, the rest being fitted again. Arguments of exp are reduced in two
 * floats, so that the result of a large one keeps its relative error. */
#ifndef VB_LANES_MATH_H
#define VB_LANES_MATH_H

#include <float.h>

#include "kernels/matrix/gemm.h"
#include "kernels/matrix/lanes.h"

/* 2^r for |r| <= 0.5, of n <= 4 vectors side by side. */
LANES_FUNCTION void lanes_exp2_some(lanes *r, const int n) {
    lanes p[4];
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) p[v] = lanes_all(0x1.41d334p-13f);
#define LANES_TERM(c) _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) p[v] = lanes_fma(p[v], r[v], lanes_all(c));
    LANES_TERM(0x1.5f456ap-10f)
    LANES_TERM(0x1.3b2dbcp-7f)
    LANES_TERM(0x1.c6aed4p-5f)
    LANES_TERM(0x1.ebfbdap-3f)
    LANES_TERM(0x1.62e430p-1f)
    LANES_TERM(1.0f)
#undef LANES_TERM
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) r[v] = p[v];
}
LANES_FUNCTION lanes lanes_exp2_core(lanes r) {
    lanes_exp2_some(&r, 1);
    return r;
}

/* x of n <= 4 vectors, clamped, to 2^(what is left of it), and LANES_MAGIC plus its power of two to t. Each is one long chain of
 * operations: step by step side by side, they do not wait for each other. n is a constant wherever this is expanded. */
LANES_FUNCTION void lanes_exp_parts(lanes *x, lanes *t, const int n) {
    lanes high = lanes_all(0x1.715476p+0f), low = lanes_all(0x1.4ae0c0p-26f), magic = lanes_all(LANES_MAGIC); /* log2(e) */
    lanes r[4];
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) t[v] = lanes_fma(x[v], high, magic);
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) r[v] = lanes_sub(magic, t[v]);
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) r[v] = lanes_fma(x[v], high, r[v]);
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) x[v] = lanes_fma(x[v], low, r[v]);
    lanes_exp2_some(x, n);
}

/* exp(x): overflows to infinity, and goes to zero through the subnormal numbers. */
LANES_FUNCTION lanes lanes_exp(lanes x) {
    lanes t;
    x = lanes_min(lanes_all(90.0f), lanes_max(lanes_all(-105.0f), x));
    lanes_exp_parts(&x, &t, 1);
    return lanes_scale(x, t);
}

/* The same of n <= 4 vectors that are not above 0. */
LANES_FUNCTION void lanes_exp_down(lanes *x, const int n) {
    lanes t[4];
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) x[v] = lanes_max(lanes_all(-105.0f), x[v]);
    lanes_exp_parts(x, t, n);
    _Pragma("GCC unroll 4") for (int v = 0; v < n; v++) x[v] = lanes_scale_down(x[v], t[v]);
}

/* The smooth activations end at 0 times infinity for -infinity, which is NaN: as in PyTorch, a broken value does not turn into a
 * fine one. */
LANES_FUNCTION lanes lanes_spoil_minus_infinity(lanes x, lanes y) {
    return lanes_if_less(x, lanes_all(-FLT_MAX), lanes_all(NAN), y);
}

/* x sigmoid(c x) for c > 0. With e = exp(-c |x|), which cannot overflow: x / (1 + e) above 0, x e / (1 + e) below. high + low is
 * -c log2(e); beyond `bound` x e is zero. */
LANES_FUNCTION lanes lanes_times_sigmoid(lanes x, lanes high, lanes low, lanes bound) {
    lanes magic = lanes_all(LANES_MAGIC);
    lanes a = lanes_min(bound, lanes_abs(x)), zero = lanes_all(0.0f);
    lanes t = lanes_fma(a, high, magic);
    lanes p = lanes_exp2_core(lanes_fma(a, low, lanes_fma(a, high, lanes_sub(magic, t))));
    lanes below = lanes_sub(zero, lanes_scale_down(lanes_mul(a, p), t));
    lanes y = lanes_div(lanes_if_less(x, zero, below, x), lanes_add(lanes_all(1.0f), lanes_scale_down(p, t)));
    return lanes_spoil_minus_infinity(x, y);
}

/* x sigmoid(1.702 x). */
LANES_FUNCTION lanes lanes_quick_gelu(lanes x) {
    return lanes_times_sigmoid(x, lanes_all(-0x1.3a4cbep+1f), lanes_all(0x1.c08ecap-26f), lanes_all(64.0f));
}

/* x sigmoid(x). */
LANES_FUNCTION lanes lanes_silu(lanes x) {
    return lanes_times_sigmoid(x, lanes_all(-0x1.715476p+0f), lanes_all(-0x1.4ae0c0p-26f), lanes_all(112.0f));
}

/* x Phi(x) = 0.5 x (1 + erf(x / sqrt 2)). With a = |x| and Q = 1 - Phi: -a Q(a) below 0, x - a Q(a) above.
 * Q(a) = exp(-a^2 / 2) G(q) / (a + 2.5), G a polynomial in q = (a - 2.5) / (a + 2.5); a^2 is held in two floats. */
LANES_FUNCTION lanes lanes_gelu(lanes x) {
    lanes high = lanes_all(-0x1.715476p-1f), low = lanes_all(-0x1.4ae0c0p-27f), magic = lanes_all(LANES_MAGIC); /* -log2(e) / 2 */
    lanes a = lanes_min(lanes_all(15.0f), lanes_abs(x)), zero = lanes_all(0.0f), shift = lanes_all(2.5f);
    lanes square = lanes_mul(a, a), rest = lanes_fma(a, a, lanes_sub(zero, square));
    lanes t = lanes_fma(square, high, magic);
    lanes r = lanes_fma(square, low, lanes_fma(square, high, lanes_sub(magic, t)));
    lanes p = lanes_exp2_core(lanes_fma(rest, high, r));
    lanes inverse = lanes_div(lanes_all(1.0f), lanes_add(a, shift));
    lanes q = lanes_mul(lanes_sub(a, shift), inverse);
    lanes g = lanes_all(-0x1.68fd9cp-13f);
    g = lanes_fma(g, q, lanes_all(-0x1.557602p-12f));
    g = lanes_fma(g, q, lanes_all(0x1.715e7ep-11f));
    g = lanes_fma(g, q, lanes_all(0x1.4d32a0p-9f));
    g = lanes_fma(g, q, lanes_all(-0x1.a63fbcp-10f));
    g = lanes_fma(g, q, lanes_all(-0x1.0c9840p-6f));
    g = lanes_fma(g, q, lanes_all(0x1.2eb4acp-7f));
    g = lanes_fma(g, q, lanes_all(0x1.0e4fbcp-3f));
    g = lanes_fma(g, q, lanes_all(-0x1.bc19cap-2f));
    g = lanes_fma(g, q, lanes_all(0x1.69cee6p-1f));
    lanes tail = lanes_scale_down(lanes_mul(lanes_mul(a, inverse), lanes_mul(g, p)), t);
    return lanes_spoil_minus_infinity(x, lanes_sub(lanes_if_less(x, zero, zero, x), tail));
}

/* 1 / (1 + exp(-x)). With e = exp(-|x|): 1 / (1 + e) above 0, e / (1 + e) below. */
LANES_FUNCTION lanes lanes_sigmoid(lanes x) {
    lanes one = lanes_all(1.0f), zero = lanes_all(0.0f), e = lanes_exp(lanes_sub(zero, lanes_abs(x)));
    return lanes_div(lanes_if_less(x, zero, e, one), lanes_add(one, e));
}

/* 0.5 x (1 + tanh u) = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3). With z = 2 u log2(e) = |x| (c + d x^2) and
 * e = 2^-z: x / (1 + e) above 0, x e / (1 + e) below. x^2, the sum and z are held in two floats each. */
LANES_FUNCTION lanes lanes_gelu_tanh(lanes x) {
    lanes c_high = lanes_all(0x1.26aec2p+1f), c_low = lanes_all(0x1.bce75ap-27f);  /* c = sqrt(8 / pi) log2(e) */
    lanes d_high = lanes_all(0x1.a5a7d0p-4f), d_low = lanes_all(-0x1.151aaep-29f); /* d = 0.044715 c */
    lanes a = lanes_min(lanes_all(12.0f), lanes_abs(x)), zero = lanes_all(0.0f), magic = lanes_all(LANES_MAGIC);
    lanes square = lanes_mul(a, a), rest = lanes_fma(a, a, lanes_sub(zero, square));
    lanes cubic = lanes_mul(square, d_high), left = lanes_fma(square, d_high, lanes_sub(zero, cubic));
    lanes sum = lanes_add(c_high, cubic), part = lanes_sub(sum, c_high);
    lanes lost = lanes_add(lanes_sub(c_high, lanes_sub(sum, part)), lanes_sub(cubic, part));
    lost = lanes_add(lanes_add(lost, left), lanes_fma(rest, d_high, lanes_fma(square, d_low, c_low)));
    lanes z = lanes_mul(a, sum), z_rest = lanes_fma(a, lost, lanes_fma(a, sum, lanes_sub(zero, z)));
    lanes t = lanes_sub(magic, z);
    lanes r = lanes_sub(lanes_sub(lanes_sub(magic, t), z), z_rest);
    lanes p = lanes_exp2_core(r);
    lanes below = lanes_sub(zero, lanes_scale_down(lanes_mul(a, p), t));
    lanes y = lanes_div(lanes_if_less(x, zero, below, x), lanes_add(lanes_all(1.0f), lanes_scale_down(p, t)));
    return lanes_spoil_minus_infinity(x, y);
}

LANES_FUNCTION lanes lanes_activate(lanes x, vb_activation activation) {
    switch (activation) {
    case VB_LINEAR: return x;
    case VB_QUICK_GELU: return lanes_quick_gelu(x);
    case VB_GELU: return lanes_gelu(x);
    case VB_GELU_TANH: return lanes_gelu_tanh(x);
    case VB_RELU: return lanes_max(lanes_all(0.0f), x);
    case VB_SILU: return lanes_silu(x);
    case VB_SIGMOID: return lanes_sigmoid(x);
    }
    return x;
}

#endif
