/* Texts, a piece of rows, and what they give. */
#include "kernels/gpu/gpu_scores.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_product.h"
#include "kernels/gpu/gpu_trial.h"

static const size_t processor_budget = (size_t)16 << 20, device_budget = (size_t)512 << 20; /* bytes of a piece's products */

struct vb_gpu_scores {
    vb_gpu_device *device;
    int64_t count, most; /* most: rows of a piece; becomes less when memory runs out */
    int dim;
    cl_mem texts, scale; /* scale NULL: none */
};

int vb_gpu_scores_open(vb_gpu_scores **out, vb_gpu_device *device, const float *texts, const float *scale, int64_t count, int dim,
                       int share, vb_error *err) {
    vb_gpu_scores *its = *out = vb_array(1, sizeof *its, "products on a device", err);
    if (!its) return -1;
    const size_t row = (size_t)count * sizeof *texts;
    size_t budget = device->info.processor ? processor_budget : device_budget;
    const size_t fair = (size_t)(device->info.memory / 4 / (uint64_t)(share < 1 ? 1 : share)),
                 largest = (size_t)device->info.largest_buffer;
    if (budget > fair) budget = fair;
    if (budget > largest) budget = largest;
    *its = (vb_gpu_scores){.device = device, .count = count, .most = (int64_t)(budget / row), .dim = dim};
    if (its->most < 1) its->most = 1;
    if (vb_gpu_work_copy(device, texts, row * (size_t)dim, &its->texts, err)) return -1;
    return scale ? vb_gpu_work_copy(device, scale, row, &its->scale, err) : 0;
}

void vb_gpu_scores_close(vb_gpu_scores *its) {
    if (!its) return;
    const size_t row = (size_t)its->count * sizeof(float);
    vb_gpu_work_release(its->device, &its->texts, row * (size_t)its->dim);
    vb_gpu_work_release(its->device, &its->scale, row);
    vb_free(its);
}

static int multiply_piece(const vb_gpu_scores *its, const float *x, int64_t rows, float *out, vb_error *err) {
    vb_gpu_device *device = its->device;
    const size_t in_bytes = (size_t)rows * (size_t)its->dim * sizeof *x,
                 out_bytes = (size_t)rows * (size_t)its->count * sizeof *out;
    cl_mem in = NULL, products = NULL;
    int status = vb_gpu_work_copy(device, x, in_bytes, &in, err);
    if (!status) status = vb_gpu_work_buffer(device, out_bytes, &products, err);
    const vb_gpu_product product = {.rows = (cl_ulong)rows,
                                    .columns = (cl_int)its->count,
                                    .depth = its->dim,
                                    .a = {in, 0},
                                    .b = its->texts,
                                    .type = VB_F32,
                                    .c = {products, 0},
                                    .epilogue = {.scale = its->scale}};
    if (!status) status = vb_gpu_product_queue(device, &product, err);
    if (!status) status = vb_gpu_work_read(device, products, 0, out, out_bytes, err);
    vb_gpu_work_release(device, &in, in_bytes);
    vb_gpu_work_release(device, &products, out_bytes);
    return status;
}

int vb_gpu_scores_multiply(vb_gpu_scores *its, const float *x, int64_t rows, float *out, vb_error *err) {
    for (int64_t first = 0, n; first < rows; first += n) {
        n = rows - first < its->most ? rows - first : its->most;
        vb_error why;
        while (multiply_piece(its, x + first * its->dim, n, out + first * its->count, &why)) {
            if (why.code != VB_EMEMORY || n == 1) {
                *err = why;
                return -1;
            }
            its->most = n /= 2;
        }
    }
    return 0;
}

/* The second time nothing is built. */
int vb_gpu_scores_measure(vb_gpu_scores *its, const float *texts, int threads, double *here, double *there, vb_error *err) {
    enum { HERE = 16, THERE = 256 };
    const int64_t few = its->count < HERE ? its->count : HERE, many = its->count < THERE ? its->count : THERE;
    float *out = vb_buffer((size_t)(many * its->count), sizeof *out, "products for a measurement", err);
    if (!out) return -1;
    const vb_matrix matrix = {texts, VB_F32, its->count, its->dim, its->dim, 1};
    const vb_gemm_a a = {.data = texts, .ld = its->dim};
    const vb_epilogue epilogue = {0};
    vb_error why;
    *there = 0;
    for (int turn = 0; turn < 2 && *there < INFINITY; turn++) {
        const double start = vb_gpu_trial_now();
        if (vb_gpu_scores_multiply(its, texts, many, out, &why)) *there = INFINITY;
        else *there = (vb_gpu_trial_now() - start) / (double)many;
    }
    const double start = vb_gpu_trial_now();
    const int status = vb_gemm(few, &a, &matrix, out, its->count, &epilogue, threads, err);
    *here = (vb_gpu_trial_now() - start) / (double)few;
    vb_free(out);
    return status;
}
