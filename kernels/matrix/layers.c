/* Row-wise layers: rows over threads. */
#include "kernels/matrix/layers.h"

#include <assert.h>
#include <limits.h>

#include "kernels/matrix/layers_internal.h"
#include "kernels/matrix/layers_kernel.h"

void vb_layers_norm(int64_t rows, int64_t width, const float *x, int64_t ld, const float *weight, const float *bias,
                    float epsilon, const float *residual, float *out, int64_t ld_out, int threads) {
    assert(width >= 1 && threads >= 1 && (!residual || residual != out));
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < rows; i++)
        kernel->norm(width, x + i * ld, weight, bias, epsilon, residual ? residual + i * ld_out : NULL, out + i * ld_out);
}

void vb_layers_rotate(int64_t rows, int heads, const vb_rotation *rotation, float *x, int64_t ld, int threads) {
    const int period = rotation->period, width = rotation->head_dim;
    assert(heads >= 1 && width % 2 == 0 && rotation->skipped < period && threads >= 1);
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < rows; i++) {
        const int64_t at = i % period - rotation->skipped;
        if (at >= 0) kernel->rotate(heads, width, rotation->straight + at * width, rotation->crossed + at * width, x + i * ld);
    }
}

void vb_layers_scale(int64_t items, int64_t rows, int64_t width, const float *x, const float *factors, vb_activation activation,
                     float *out, int threads) {
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
    assert(threads >= 1 && width <= INT_MAX);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < items * rows; i++) {
        const vb_epilogue epilogue = {.scale = factors + i / rows * width, .last = activation};
        kernel->epilogue(1, (int)width, x + i * width, (int)width, &epilogue, 0, 0, out + i * width, width);
    }
}

void vb_layers_softmax(int64_t rows, int64_t width, float scale, float *x, int64_t ld, int threads) {
    assert(width >= 1 && threads >= 1);
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
    if (threads == 1) {
        for (int64_t i = 0; i < rows; i++) kernel->softmax(width, scale, x + i * ld);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < rows; i++) kernel->softmax(width, scale, x + i * ld);
}

enum { SLICE = 16384 }; /* elements that a thread takes at a time: enough that handing them out does not show */

void vb_layers_activate(int64_t count, float *x, vb_activation activation, int threads) {
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
    if (threads == 1) {
        kernel->activate(count, x, activation);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i += SLICE) kernel->activate(count - i < SLICE ? count - i : SLICE, x + i, activation);
}

void vb_layers_exp(int64_t count, float *x, int threads) {
    const vb_layers_kernel *kernel = vb_layers_kernel_get();
    if (threads == 1) {
        kernel->exp(count, x);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i += SLICE) kernel->exp(count - i < SLICE ? count - i : SLICE, x + i);
}
