/* Made operands, products, times. */
#include "kernels/gpu/gpu_trial.h"

#include <string.h>
#include <time.h>

#include "kernels/base/dtype.h"
#include "kernels/base/memory.h"

/* Multiples of 2^-11 from -1 to 1: exact in fp16 too, and in bf16 once their last bits are gone. Numerical Recipes' generator. */
static float next(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return (float)((int)(*seed >> 20) - (1 << 11)) * 0x1p-11f;
}

static void fill(void *values, size_t count, vb_dtype type, uint32_t seed) {
    for (size_t i = 0; i < count; i++) {
        const float x = next(&seed);
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        if (type == VB_F32) ((float *)values)[i] = x;
        else ((uint16_t *)values)[i] = type == VB_F16 ? vb_dtype_float_to_half(x) : (uint16_t)(bits >> 16);
    }
}

int vb_gpu_trial_open(vb_gpu_trial *trial, vb_gpu_device *device, int64_t rows, int columns, int depth, vb_dtype type,
                      vb_error *err) {
    const size_t a = (size_t)rows * (size_t)depth, b = (size_t)columns * (size_t)depth, c = (size_t)rows * (size_t)columns;
    *trial = (vb_gpu_trial){.device = device,
                            .product = {.rows = (cl_ulong)rows, .columns = columns, .depth = depth, .type = type},
                            .a_size = a * sizeof(float),
                            .b_size = b * vb_dtype_size(type),
                            .c_size = c * sizeof(float)};
    trial->a = vb_buffer(a, sizeof(float), "a trial's rows", err);
    trial->b = trial->a ? vb_buffer(b, vb_dtype_size(type), "a trial's weights", err) : NULL;
    trial->result = trial->b ? vb_buffer(c, sizeof(float), "a trial's results", err) : NULL;
    if (!trial->result) return -1;
    fill(trial->a, a, VB_F32, 1);
    fill(trial->b, b, type, 2);
    int status = vb_gpu_work_copy(device, trial->a, trial->a_size, &trial->product.a.buffer, err);
    if (!status) status = vb_gpu_work_copy(device, trial->b, trial->b_size, &trial->product.b, err);
    if (!status) status = vb_gpu_work_buffer(device, trial->c_size, &trial->product.c.buffer, err);
    return status;
}

void vb_gpu_trial_close(vb_gpu_trial *trial) {
    if (!trial->device) return;
    vb_gpu_work_release(trial->device, &trial->product.a.buffer, trial->a_size);
    vb_gpu_work_release(trial->device, &trial->product.b, trial->b_size);
    vb_gpu_work_release(trial->device, &trial->product.c.buffer, trial->c_size);
    vb_free(trial->a);
    vb_free(trial->b);
    vb_free(trial->result);
    *trial = (vb_gpu_trial){0};
}

static int finish(const vb_gpu_trial *trial, vb_error *err) {
    const cl_int code = trial->device->cl.Finish(trial->device->queue);
    return code ? vb_opencl_failed(code, trial->device->info.name, "clFinish", err) : 0;
}

int vb_gpu_trial_run(vb_gpu_trial *trial, const vb_gpu_tile *tile, float *result, vb_error *err) {
    trial->product.tile = tile;
    if (vb_gpu_product_queue(trial->device, &trial->product, err)) return -1;
    if (!result) return finish(trial, err);
    return vb_gpu_work_read(trial->device, trial->product.c.buffer, 0, result, trial->c_size, err);
}

int vb_gpu_trial_time(vb_gpu_trial *trial, const vb_gpu_tile *tile, int rounds, double moment, double *seconds, vb_error *err) {
    enum { MOST = 64 };
    if (vb_gpu_trial_run(trial, tile, NULL, err)) return -1;
    const double began = vb_gpu_trial_now();
    if (vb_gpu_trial_run(trial, tile, NULL, err)) return -1;
    double least = vb_gpu_trial_now() - began;
    const int times = least * MOST < moment ? MOST : least >= moment ? 1 : (int)(moment / least);
    for (int round = 0; round < rounds; round++) {
        const double start = vb_gpu_trial_now();
        for (int i = 0; i < times; i++)
            if (vb_gpu_product_queue(trial->device, &trial->product, err)) return -1;
        if (finish(trial, err)) return -1;
        const double once = (vb_gpu_trial_now() - start) / times;
        if (once < least) least = once;
    }
    *seconds = least;
    return 0;
}

double vb_gpu_trial_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
