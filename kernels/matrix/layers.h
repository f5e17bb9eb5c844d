/* Row-wise layers of the encoders: LayerNorm, activations, softmax.
 *
 * Each row's result depends on that row alone, and has the same bits at every instruction set level and thread count: sums run in
 * sixteen interleaved parts that are then halved. `threads` >= 1 OpenMP threads; 1 opens no parallel region. Nothing is
 * allocated, nothing fails; all are thread-safe. NaN in, NaN out. */
#ifndef VB_LAYERS_H
#define VB_LAYERS_H

#include <stdint.h>

#include "kernels/matrix/gemm.h"

/* out[i][j] = (x[i][j] - mean) / sqrt(variance + epsilon) * weight[j] + bias[j], mean and biased variance over row i's `width`
 * entries, in double, as torch.nn.LayerNorm defines it. Rows lie `ld` and `ld_out` floats apart; out may be x itself.
 * weight or bias may be NULL: 1 and 0. */
void vb_layers_norm(int64_t rows, int64_t width, const float *x, int64_t ld, const float *weight, const float *bias,
                    float epsilon, float *out, int64_t ld_out, int threads);

/* In place. VB_QUICK_GELU: x sigmoid(1.702 x). VB_GELU: 0.5 x (1 + erf(x / sqrt 2)). Relative error below 3e-7 and 4e-7
 * wherever the result is a normal number; -infinity gives NaN for both, as PyTorch does. VB_RELU: 0 below 0. */
void vb_layers_activate(int64_t count, float *x, vb_activation activation, int threads);

/* exp(x[i]) in place, relative error below 3e-7. */
void vb_layers_exp(int64_t count, float *x, int threads);

/* In place: x[i][j] = exp(scale x[i][j] - largest) times the inverse of the sum, over row i's `width` >= 1 entries. Rows lie `ld`
 * floats apart. */
void vb_layers_softmax(int64_t rows, int64_t width, float scale, float *x, int64_t ld, int threads);

#endif
