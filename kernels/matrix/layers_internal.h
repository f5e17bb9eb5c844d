/* Layers by themselves that the program only runs inside of others (the epilogue, attention): for tests and benchmarks. Threads
 * and errors as in kernels/matrix/layers.h. */
#ifndef VB_LAYERS_INTERNAL_H
#define VB_LAYERS_INTERNAL_H

#include "kernels/matrix/layers.h"

/* In place. VB_QUICK_GELU: x sigmoid(1.702 x). VB_GELU: 0.5 x (1 + erf(x / sqrt 2)). VB_SILU: x sigmoid(x). VB_GELU_TANH:
 * 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Relative error below 3e-7, for VB_GELU 4e-7, wherever the result is a
 * normal number; -infinity gives NaN for all of them, as PyTorch does. VB_RELU: 0 below 0.
 * VB_SIGMOID: 1 / (1 + exp(-x)), 0 at -infinity. */
void vb_layers_activate(int64_t count, float *x, vb_activation activation, int threads);

/* exp(x[i]) in place, relative error below 3e-7. */
void vb_layers_exp(int64_t count, float *x, int threads);

/* In place: x[i][j] = exp(scale x[i][j] - largest) times the inverse of the sum, over row i's `width` >= 1 entries. Rows lie `ld`
 * floats apart. */
void vb_layers_softmax(int64_t rows, int64_t width, float scale, float *x, int64_t ld, int threads);

#endif
