/* The definition of the product in three products of bf16, in plain C: tiles of 4 x 16. */
#include <math.h>

enum { ROWS = 4, COLS = 16 };
#define FIRST(j) (2 * (j))
#define SECOND(j) (2 * (j) + 1)
#include "kernels/matrix/bf16x3_pack.h"

static const float smallest = 0x1p-126f;

static float upper(uint32_t pair) {
    float x;
    pair &= 0xffff0000u;
    memcpy(&x, &pair, sizeof x);
    return x;
}
static float lower(uint32_t pair) { return upper(pair << 16); }

/* Processors look at the rounded result as if there were no smallest exponent: what would be rounded up to 2^-126 from below it
 * by the coarser steps that denormal numbers have is a zero all the same. The sum in double is exact wherever it is so small. */
static float fused(float x, float y, float sum) {
    const double exact = (double)x * (double)y + (double)sum;
    return fabs(exact) < 0x1p-126 - 0x1p-151 ? (float)copysign(0, exact) : fmaf(x, y, sum);
}
static float plus(float x, float y) {
    const float sum = x + y;
    return fabsf(sum) < smallest ? copysignf(0, sum) : sum;
}

/* s0 (from = 0) or s1 (from = 8) of a row of A and a column of B. */
static float half_sum(const uint32_t *a, const uint32_t *b, int from) {
    float sum = 0;
    for (int j = from; j < from + VB_BF16X3_DWORDS / 2; j++) {
        sum = fused(upper(a[j]), upper(b[j * COLS]), sum);
        sum = fused(lower(a[j]), lower(b[j * COLS]), sum);
    }
    return sum;
}

static void bf16x3_multiply_scalar(int64_t blocks, const uint32_t *a, const uint32_t *b, float *tile, bool first) {
    enum { A_HALF = ROWS * VB_BF16X3_DWORDS, B_HALF = VB_BF16X3_DWORDS * COLS };
    if (first) memset(tile, 0, (size_t)ROWS * COLS * sizeof *tile);
    for (int64_t block = 0; block < blocks; block++, a += 2 * A_HALF, b += 2 * B_HALF)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < COLS; j++)
                for (int part = 0; part < 3; part++) { /* hi hi, hi lo, lo hi */
                    const uint32_t *row = a + (part == 2 ? A_HALF : 0) + i * VB_BF16X3_DWORDS,
                                   *column = b + (part == 1 ? B_HALF : 0) + j;
                    float *sum = tile + i * COLS + j;
                    *sum = plus(*sum, plus(half_sum(row, column, 0), half_sum(row, column, VB_BF16X3_DWORDS / 2)));
                }
}

const vb_bf16x3_kernel vb_bf16x3_kernel_scalar = {.name = "scalar",
                                                  .rows = ROWS,
                                                  .fp32 = &vb_gemm_kernel_scalar,
                                                  .pack_a = bf16x3_pack_a,
                                                  .pack_b = bf16x3_pack_b,
                                                  .multiply = bf16x3_multiply_scalar};
