/* Inner products of 8-bit codes in plain C: the definition that the other levels are tested against. */
#include <math.h>

#include "kernels/search/coded_kernel.h"

static void coded_products_scalar(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries,
                                  const int32_t *offsets, int width, int32_t *out) {
    for (int g = 0; g < groups; g++)
        for (int q = 0; q < queries; q++)
            for (int i = 0; i < VB_CODER_GROUP; i++) {
                int32_t sum = -offsets[q];
                for (int k = 0; k < width; k++)
                    sum += codes[(size_t)g * stride + (size_t)(k / 4 * 4 * VB_CODER_GROUP + 4 * i + k % 4)] *
                           panel[(k / 4 * queries + q) * 4 + k % 4];
                out[q * VB_CODED_PAIR + g * VB_CODER_GROUP + i] = sum;
            }
}

static unsigned coded_screen_scalar(const int32_t *products, const float *numbers, int queries, const float *alpha,
                                    const float *beta, const float *thresholds, uint16_t *pass) {
    unsigned any = 0;
    for (int q = 0; q < queries; q++) {
        pass[q] = 0;
        for (int i = 0; i < VB_CODER_GROUP; i++) {
            float bound = fmaf(beta[q], numbers[2 * VB_CODER_GROUP + i], alpha[q] * numbers[VB_CODER_GROUP + i]);
            if (fmaf(numbers[i], (float)products[q * VB_CODED_PAIR + i], bound) >= thresholds[q]) pass[q] |= (uint16_t)(1u << i);
        }
        any |= pass[q];
    }
    return any;
}

const vb_coded_kernel vb_coded_kernel_scalar = {.most = 127, .products = coded_products_scalar, .screen = coded_screen_scalar};
