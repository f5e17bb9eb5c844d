/* A fixed-point accumulator wide enough for every fp32 product, and schoolbook products of its values. */
#include "kernels/exact.h"

#include <string.h>

enum { D = VB_EXACT_DIGITS, LOW = -149 }; /* floats are multiples of 2^LOW */

/* |value| = *fraction * 2^(*exponent + LOW), *fraction below 2^24. */
static int split(float value, uint64_t *fraction, int *exponent) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    int biased = bits >> 23 & 255;
    *fraction = (bits & 0x7fffff) | (biased ? 0x800000 : 0);
    *exponent = biased ? biased - 1 : 0;
    return bits >> 31;
}

void vb_exact_dot(vb_exact *sum, const float *a, const float *b, int n) {
    /* Signed 64-bit cells of weight 2^(32 i): 2^16 terms below 2^33 fit, so that carries wait until the end. */
    int64_t cells[D] = {0};
    for (int k = 0; k < n; k++) {
        uint64_t fraction, other;
        int exponent, shift;
        int negative = split(a[k], &fraction, &exponent);
        negative ^= split(b[k], &other, &shift);
        uint64_t product = fraction * other; /* below 2^48 */
        if (!product) continue;
        shift += exponent;
        int64_t *cell = cells + shift / 32;
        uint64_t low = (product & 0xffffffff) << shift % 32, high = (product >> 32) << shift % 32;
        int64_t add[3] = {(int64_t)(low & 0xffffffff), (int64_t)((low >> 32) + (high & 0xffffffff)), (int64_t)(high >> 32)};
        for (int i = 0; i < 3; i++) cell[i] += negative ? -add[i] : add[i];
    }
    /* Two's complement; the carry that leaves the top is the sign. */
    int64_t carry = 0;
    for (int i = 0; i < D; i++) {
        int64_t cell = cells[i] + carry;
        carry = cell >> 32; /* arithmetic: rounds down, for negative cells too */
        sum->digit[i] = (uint32_t)cell;
    }
    int negative = carry < 0;
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

static int compare(const uint32_t *a, const uint32_t *b, int digits) {
    for (int i = digits - 1; i >= 0; i--)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

int vb_exact_compare(const vb_exact *a, const vb_exact *b) {
    if (a->sign != b->sign) return a->sign < b->sign ? -1 : 1;
    return a->sign * compare(a->digit, b->digit, D);
}

/* product (m + n digits) = a (m digits) * b (n digits) */
static void multiply(uint32_t *product, const uint32_t *a, int m, const uint32_t *b, int n) {
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
    multiply(square, a->digit, D, a->digit, D);
    multiply(left, square, 2 * D, b_square->digit, D);
    multiply(square, b->digit, D, b->digit, D);
    multiply(right, square, 2 * D, a_square->digit, D);
    return a->sign * compare(left, right, 3 * D);
}
