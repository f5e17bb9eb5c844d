/* A fixed-point accumulator of doubles with delayed carries. */
#include "kernels/exact/fixed_sum.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { D = VB_FIXED_DIGITS, LOW = -1074 };
static_assert(sizeof(vb_fixed_sum) == VB_FIXED_COUNTERS * sizeof(int64_t), "sums are added up over ranks as counters");

/* Each addition moves a digit by less than 2^32: after so many, a carry is due well before 2^63. */
static const int64_t MOST_ADDITIONS = 1 << 29;

static void carry(int64_t digit[D]) {
    for (int i = 0; i < D - 1; i++) {
        int64_t up = digit[i] >> 32; /* arithmetic: rounds down, for negative digits too */
        digit[i] -= up * ((int64_t)1 << 32);
        digit[i + 1] += up;
    }
}

void vb_fixed_sum_settle(vb_fixed_sum *sum) {
    carry(sum->digit);
    sum->room = 0;
}

void vb_fixed_sum_add(vb_fixed_sum *sum, double term) {
    uint64_t bits;
    memcpy(&bits, &term, sizeof bits);
    int biased = bits >> 52 & 2047;
    if (biased == 2047) {
        sum->broken++;
        return;
    }
    uint64_t fraction = (bits & 0xfffffffffffff) | (biased ? (uint64_t)1 << 52 : 0);
    if (!fraction) return;
    int at = biased ? biased - 1 : 0, shift = at % 32; /* term = fraction * 2^(at + LOW) */
    int64_t *digit = sum->digit + at / 32;
    uint64_t low = (fraction & 0xffffffff) << shift, high = (fraction >> 32) << shift; /* high: below 2^53 */
    int64_t add[3] = {(int64_t)(low & 0xffffffff), (int64_t)((low >> 32) + (high & 0xffffffff)), (int64_t)(high >> 32)};
    if (bits >> 63)
        for (int i = 0; i < 3; i++) digit[i] -= add[i];
    else
        for (int i = 0; i < 3; i++) digit[i] += add[i];
    if (++sum->room >= MOST_ADDITIONS) vb_fixed_sum_settle(sum);
}

void vb_fixed_sum_join(vb_fixed_sum *sum, const vb_fixed_sum *other) {
    vb_fixed_sum settled = *other;
    vb_fixed_sum_settle(&settled);
    vb_fixed_sum_settle(sum);
    for (int i = 0; i < D; i++) sum->digit[i] += settled.digit[i];
    sum->broken += settled.broken;
}

double vb_fixed_sum_value(const vb_fixed_sum *sum) {
    if (sum->broken) return NAN;
    int64_t digit[D];
    memcpy(digit, sum->digit, sizeof digit);
    carry(digit);
    bool negative = digit[D - 1] < 0;
    if (negative) {
        for (int i = 0; i < D; i++) digit[i] = -digit[i];
        carry(digit);
    }
    int top = D - 1;
    while (top >= 0 && !digit[top]) top--;
    if (top < 0) return 0;
    /* The highest 64 bits of the number, the lowest of them also saying whether anything follows: ldexp and the conversion then
     * round once. The top digit may exceed 32 bits only in the last place, which stands for numbers far beyond a double. */
    if (top == D - 1) return negative ? -INFINITY : INFINITY;
    int lead = 63 - __builtin_clzll((uint64_t)digit[top]); /* 0..31 */
    int64_t first = (int64_t)top * 32 + lead - 63;         /* place of the lowest of the 64 bits */
    uint64_t head = 0, rest = 0;
    for (int i = top; i >= 0; i--) {
        int64_t at = (int64_t)i * 32 - first; /* the digit's place in head */
        if (at >= 0) head |= (uint64_t)digit[i] << at;
        else if (at > -32) {
            head |= (uint64_t)digit[i] >> -at;
            rest |= (uint64_t)digit[i] & (((uint64_t)1 << -at) - 1);
        } else rest |= (uint64_t)digit[i];
    }
    /* A double has 53 bits, and fewer where it is subnormal: drop by hand, ties to even. */
    int64_t drop = first + 64 <= 53 ? -first : 11;
    if (drop > 0) {
        uint64_t cut = head & (((uint64_t)1 << drop) - 1), half = (uint64_t)1 << (drop - 1);
        head >>= drop;
        if (cut > half || (cut == half && (rest || head & 1))) head++;
    } else drop = 0;
    double value = ldexp((double)head, (int)(first + drop + LOW));
    return negative ? -value : value;
}
