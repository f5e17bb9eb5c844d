/* Row-wise layers: the choice of level, the threads, and the plain level itself. */
#include "kernels/matrix/layers.h"

#include "kernels/base/isa.h"

#define VB_LANES 1
#define VB_LAYER_KERNEL vb_layer_kernel_scalar
#include "kernels/matrix/layers_lanes.h"

const vb_layer_kernel *vb_layer_kernel_get(void) {
#if defined(__x86_64__)
    vb_isa level = vb_isa_level();
    if (level >= VB_AVX512) return &vb_layer_kernel_avx512;
    if (level == VB_AVX2) return &vb_layer_kernel_avx2;
#endif
    return &vb_layer_kernel_scalar;
}

void vb_layers_norm(int64_t rows, int64_t width, const float *x, int64_t ld, const float *weight, const float *bias,
                    float epsilon, float *out, int64_t ld_out, int threads) {
    const vb_layer_kernel *kernel = vb_layer_kernel_get();
    if (threads == 1) {
        for (int64_t i = 0; i < rows; i++) kernel->norm(width, x + i * ld, weight, bias, epsilon, out + i * ld_out);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) kernel->norm(width, x + i * ld, weight, bias, epsilon, out + i * ld_out);
}

void vb_layers_softmax(int64_t rows, int64_t width, float scale, float *x, int64_t ld, int threads) {
    const vb_layer_kernel *kernel = vb_layer_kernel_get();
    if (threads == 1) {
        for (int64_t i = 0; i < rows; i++) kernel->softmax(width, scale, x + i * ld);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) kernel->softmax(width, scale, x + i * ld);
}

enum { SLICE = 16384 }; /* elements that a thread takes at a time */

void vb_layers_activate(int64_t count, float *x, vb_activation activation, int threads) {
    const vb_layer_kernel *kernel = vb_layer_kernel_get();
    if (threads == 1) {
        kernel->activate(count, x, activation);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i += SLICE) kernel->activate(count - i < SLICE ? count - i : SLICE, x + i, activation);
}

void vb_layers_exp(int64_t count, float *x, int threads) {
    const vb_layer_kernel *kernel = vb_layer_kernel_get();
    if (threads == 1) {
        kernel->exp(count, x);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i += SLICE) kernel->exp(count - i < SLICE ? count - i : SLICE, x + i);
}
