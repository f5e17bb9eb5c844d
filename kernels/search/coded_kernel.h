/* What the search through codes has once for each instruction set level: all give the same integers. Private to
 * kernels/search/. */
#ifndef VB_CODED_KERNEL_H
#define VB_CODED_KERNEL_H

#include "kernels/search/coder.h"

enum {
    VB_CODED_PANEL = 12, /* queries multiplied at once: with two groups, 24 sums of the 32 AVX-512 registers */
    VB_CODED_PAIR = 2 * VB_CODER_GROUP
};

typedef struct vb_coded_kernel {
    int most; /* magnitude that queries' codes may have */

    /* out[q * VB_CODED_PAIR + g * VB_CODER_GROUP + i] = sum over k of code (with its 128) of row i of group g times query
     * q's code, less offsets[q]; groups 1 or 2, `stride` bytes apart. panel: width / 4 times `queries` <= VB_CODED_PANEL
     * times 4 codes. */
    void (*products)(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries, const int32_t *offsets,
                     int width, int32_t *out);

    /* What products() gave, for one group: bit i of pass[q] is set when
     * scale[i] * products[q * VB_CODED_PAIR + i] + alpha[q] * residual[i] + beta[q] * norm[i] >= thresholds[q]. Returns all bits
     * joined. */
    unsigned (*screen)(const int32_t *products, const float *numbers, int queries, const float *alpha, const float *beta,
                       const float *thresholds, uint16_t *pass);
} vb_coded_kernel;

/* For the level in use. */
const vb_coded_kernel *vb_coded_kernel_get(void);

extern const vb_coded_kernel vb_coded_kernel_scalar;
#if defined(__x86_64__)
extern const vb_coded_kernel vb_coded_kernel_avx2, vb_coded_kernel_avx512, vb_coded_kernel_vnni;
#endif

#endif
