/* Row-wise layers of the encoders: LayerNorm, rotary positions, factors of an item.
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
 * weight or bias may be NULL: 1 and 0. residual, unless NULL, is added last: rows ld_out apart, must not be out. */
void vb_layers_norm(int64_t rows, int64_t width, const float *x, int64_t ld, const float *weight, const float *bias,
                    float epsilon, const float *residual, float *out, int64_t ld_out, int threads);

/* Angles of rotary positions. Of every `period` rows the first `skipped` stay as they are; each of the others has a row in both
 * tables, of head_dim (even) columns: straight[2i] = straight[2i + 1] = cos(a_i), crossed[2i] = -sin(a_i), crossed[2i + 1] =
 * sin(a_i). */
typedef struct vb_rotation {
    const float *straight, *crossed;
    int period, skipped, head_dim;
} vb_rotation;

/* Turns the pairs (2i, 2i + 1) of each of a row's heads, which lie side by side, by a_i, in place:
 * x[j] = fma(x[j ^ 1], crossed[j], x[j] * straight[j]). */
void vb_layers_rotate(int64_t rows, int heads, const vb_rotation *rotation, float *x, int64_t ld, int threads);

/* out = activation of x times factors: items x rows x width floats, an item's factors being a row of `width`. out may be x
 * itself. */
void vb_layers_scale(int64_t items, int64_t rows, int64_t width, const float *x, const float *factors, vb_activation activation,
                     float *out, int threads);

#endif
