/* A fixed-point accumulator wide enough for every fp32 product, and schoolbook products of its values. */
#include "kernels/exact/exact.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { D = VB_EXACT_DIGITS, LOW = -149, UNIT = 298 }; /* floats are multiples of 2^LOW, digits of 2^-UNIT */

/* |value| = *fraction * 2^(*exponent + LOW), *fraction below 2^24. Whether value is negative. */
static bool split(float value, uint64_t *fraction, int *exponent) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    int biased = bits >> 23 & 255;
    *fraction = (bits & 0x7fffff) | (biased ? 0x800000 : 0);
    *exponent = biased ? biased - 1 : 0;
    return bits >> 31;
}

/* Signed 64-bit cells of weight 2^(32 i) to sign and digits. */
static void settle_cells(vb_exact *sum, const int64_t *cells) {
    /* Two's complement; the carry that leaves the top is the sign. */
    int64_t carry = 0;
    for (int i = 0; i < D; i++) {
        int64_t cell = cells[i] + carry;
        carry = cell >> 32; /* arithmetic: rounds down, for negative cells too */
        sum->digit[i] = (uint32_t)cell;
    }
    bool negative = carry < 0;
    if (negative) {
        uint64_t borrow = 1;
        for (int i = 0; i < D; i++) {
            borrow += (uint32_t)~sum->digit[i];
            sum->digit[i] = (uint32_t)borrow;
            borrow >>= 32;
        }
    }
    sum->sign = 0;
    for (int i = 0; i < D; i++)
        if (sum->digit[i]) sum->sign = negative ? -1 : 1;
}

void vb_exact_dot(vb_exact *sum, const float *a, const float *b, int n) {
    assert(n >= 0 && n <= VB_EXACT_TERMS);
    /* In 64-bit cells 2^16 terms below 2^33 fit, so that carries wait until the end. */
    int64_t cells[D] = {0};
    for (int k = 0; k < n; k++) {
        uint64_t fraction, other;
        int exponent, shift;
        bool negative = split(a[k], &fraction, &exponent);
        negative ^= split(b[k], &other, &shift);
        uint64_t product = fraction * other; /* below 2^48 */
        if (!product) continue;
        shift += exponent;
        int64_t *cell = cells + shift / 32;
        uint64_t low = (product & 0xffffffff) << shift % 32, high = (product >> 32) << shift % 32;
        int64_t add[3] = {(int64_t)(low & 0xffffffff), (int64_t)((low >> 32) + (high & 0xffffffff)), (int64_t)(high >> 32)};
        for (int i = 0; i < 3; i++) cell[i] += negative ? -add[i] : add[i];
    }
    settle_cells(sum, cells);
}

void vb_exact_sum(vb_exact *sum, const double *terms, int n) {
    assert(n >= 0 && n <= VB_EXACT_TERMS);
    int64_t cells[D] = {0};
    for (int k = 0; k < n; k++) {
        int exponent;
        double fraction = frexp(fabs(terms[k]), &exponent);
        uint64_t bits = (uint64_t)ldexp(fraction, 53);
        if (!bits) continue;
        int shift = exponent - 53 + UNIT;
        for (; shift < 0; shift++) bits >>= 1; /* a multiple of the unit: what falls off is zero */
        int64_t *cell = cells + shift / 32;
        uint64_t low = (bits & 0xffffffff) << shift % 32, high = (bits >> 32) << shift % 32;
        int64_t add[3] = {(int64_t)(low & 0xffffffff), (int64_t)((low >> 32) + (high & 0xffffffff)), (int64_t)(high >> 32)};
        for (int i = 0; i < 3 && cell + i < cells + D; i++) cell[i] += terms[k] < 0 ? -add[i] : add[i];
    }
    settle_cells(sum, cells);
}

double vb_exact_round(const vb_exact *a) {
    int top = D - 1;
    while (top > 0 && !a->digit[top]) top--;
    uint64_t high = (uint64_t)a->digit[top] << 32 | (top > 0 ? a->digit[top - 1] : 0);
    if (!high) return 0;
    /* The leading 64 bits, and whether anything follows them. */
    uint64_t next = top > 1 ? a->digit[top - 2] : 0, below = 0;
    int lost = __builtin_clzll(high); /* less than 32 */
    if (lost) high = high << lost | next >> (32 - lost);
    below = next << lost & 0xffffffff;
    for (int i = 0; i < top - 2; i++) below |= a->digit[i];
    uint64_t fraction = high >> 11, cut = high & 2047, half = 1024;
    if (cut > half || (cut == half && (below || fraction & 1))) fraction++;
    return a->sign * ldexp((double)fraction, 32 * (top - 1) - UNIT - lost + 11);
}

static int compare_digits(const uint32_t *a, const uint32_t *b, int digits) {
    for (int i = digits - 1; i >= 0; i--)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

int vb_exact_compare(const vb_exact *a, const vb_exact *b) {
    if (a->sign != b->sign) return a->sign < b->sign ? -1 : 1;
    return a->sign * compare_digits(a->digit, b->digit, D);
}

/* product (m + n digits) = a (m digits) * b (n digits) */
static void multiply_digits(uint32_t *product, const uint32_t *a, int m, const uint32_t *b, int n) {
    memset(product, 0, (size_t)(m + n) * sizeof *product);
    for (int i = 0; i < m; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < n; j++) {
            carry += (uint64_t)a[i] * b[j] + product[i + j];
            product[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        product[i + n] = (uint32_t)carry;
    }
}

int vb_exact_compare_ratio(const vb_exact *a, const vb_exact *a_square, const vb_exact *b, const vb_exact *b_square) {
    if (a->sign != b->sign) return a->sign < b->sign ? -1 : 1;
    if (!a->sign) return 0;
    uint32_t square[2 * D], left[3 * D], right[3 * D];
    multiply_digits(square, a->digit, D, a->digit, D);
    multiply_digits(left, square, 2 * D, b_square->digit, D);
    multiply_digits(square, b->digit, D, b->digit, D);
    multiply_digits(right, square, 2 * D, a_square->digit, D);
    return a->sign * compare_digits(left, right, 3 * D);
}
