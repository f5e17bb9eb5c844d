/* Some tiles at a time: pixels to values, 36 products in one launch, sums to results. */
#include "kernels/gpu/gpu_winograd.h"

#include "kernels/base/memory.h"
#include "kernels/gpu/gpu_texts.h"
#include "kernels/matrix/winograd_reference.h"

enum { POINTS = VB_WINOGRAD_POINTS, SIDE = VB_WINOGRAD_SIDE, TAPS = 9, ITEMS = 64 };

size_t vb_gpu_winograd_scratch(int channels, int outputs) { return POINTS * ((size_t)channels + (size_t)outputs); }

int64_t vb_gpu_winograd_tiles(int out_height, int out_width) {
    return (int64_t)((out_height + SIDE - 1) / SIDE) * ((out_width + SIDE - 1) / SIDE);
}

float *vb_gpu_winograd_factors(const vb_matrix *weight, vb_error *err) {
    const int64_t channels = weight->cols / TAPS, pairs = weight->rows * channels;
    float *factors = vb_buffer(POINTS * (size_t)pairs, sizeof *factors, "transformed filters", err);
    for (int64_t i = 0; factors && i < pairs; i++) {
        float taps[TAPS], u[POINTS];
        for (int t = 0; t < TAPS; t++) taps[t] = vb_matrix_at(weight, i / channels, i % channels * TAPS + t);
        vb_winograd_reference_filter(taps, u);
        for (int p = 0; p < POINTS; p++) factors[p * pairs + i] = u[p];
    }
    return factors;
}

/* A kernel of gpu_winograd.cl for each channel of each tile. */
static int launch(vb_gpu_device *device, const char *kernel, const vb_gpu_argument *arguments, int count, size_t items,
                  vb_error *err) {
    vb_gpu_launch made = {.kernel = kernel,
                          .arguments = arguments,
                          .count = count,
                          .groups = {(items + ITEMS - 1) / ITEMS, 1, 1},
                          .items = {ITEMS, 1, 1}};
    if (vb_gpu_work_module(device, vb_gpu_winograd_cl, "", &made.module, err)) return -1;
    return vb_gpu_work_launch(device, &made, err);
}

static int queue_tiles(vb_gpu_device *device, const vb_gpu_winograd *job, cl_ulong first, cl_ulong tiles, vb_error *err) {
    const vb_gpu_epilogue *e = &job->epilogue;
    const cl_int height = job->height + 2 * job->padding - 2, width = job->width + 2 * job->padding - 2; /* of the output */
    const cl_ulong down = (cl_ulong)((height + SIDE - 1) / SIDE), across = (cl_ulong)((width + SIDE - 1) / SIDE);
    const vb_gpu_place values = {job->scratch, 0}, sums = {job->scratch, POINTS * tiles * (cl_ulong)job->channels};
    const vb_gpu_argument in[] = {VB_GPU_ARGUMENT(job->in.buffer), VB_GPU_ARGUMENT(job->in.at), VB_GPU_ARGUMENT(values.buffer),
                                  VB_GPU_ARGUMENT(values.at),      VB_GPU_ARGUMENT(first),      VB_GPU_ARGUMENT(tiles),
                                  VB_GPU_ARGUMENT(down),           VB_GPU_ARGUMENT(across),     VB_GPU_ARGUMENT(job->channels),
                                  VB_GPU_ARGUMENT(job->height),    VB_GPU_ARGUMENT(job->width), VB_GPU_ARGUMENT(job->padding)};
    if (launch(device, "winograd_input", in, sizeof in / sizeof *in, tiles * (size_t)job->channels, err)) return -1;
    const vb_gpu_product product = {.rows = tiles,
                                    .columns = job->outputs,
                                    .depth = job->channels,
                                    .a = values,
                                    .b = job->factors,
                                    .type = VB_F32,
                                    .c = sums,
                                    .products = POINTS};
    if (vb_gpu_product_queue(device, &product, err)) return -1;
    const cl_mem none = device->nothing, scale = e->scale ? e->scale : none, bias = e->bias ? e->bias : none,
                 residual = e->residual.buffer ? e->residual.buffer : none;
    const cl_int flags = (e->scale ? VB_GPU_HAS_SCALE : 0) | (e->bias ? VB_GPU_HAS_BIAS : 0) |
                         (e->residual.buffer ? VB_GPU_HAS_RESIDUAL : 0),
                 last = (cl_int)e->activation;
    const vb_gpu_argument out[] = {VB_GPU_ARGUMENT(sums.buffer),    VB_GPU_ARGUMENT(sums.at), VB_GPU_ARGUMENT(job->out.buffer),
                                   VB_GPU_ARGUMENT(job->out.at),    VB_GPU_ARGUMENT(first),   VB_GPU_ARGUMENT(tiles),
                                   VB_GPU_ARGUMENT(down),           VB_GPU_ARGUMENT(across),  VB_GPU_ARGUMENT(job->outputs),
                                   VB_GPU_ARGUMENT(height),         VB_GPU_ARGUMENT(width),   VB_GPU_ARGUMENT(flags),
                                   VB_GPU_ARGUMENT(scale),          VB_GPU_ARGUMENT(bias),    VB_GPU_ARGUMENT(residual),
                                   VB_GPU_ARGUMENT(e->residual.at), VB_GPU_ARGUMENT(last)};
    return launch(device, "winograd_output", out, sizeof out / sizeof *out, tiles * (size_t)job->outputs, err);
}

int vb_gpu_winograd_queue(vb_gpu_device *device, const vb_gpu_winograd *job, vb_error *err) {
    const int64_t all =
                      job->images * vb_gpu_winograd_tiles(job->height + 2 * job->padding - 2, job->width + 2 * job->padding - 2),
                  most = (int64_t)(job->scratch_floats / vb_gpu_winograd_scratch(job->channels, job->outputs));
    int status = 0;
    for (int64_t first = 0; !status && first < all; first += most)
        status = queue_tiles(device, job, (cl_ulong)first, (cl_ulong)(all - first < most ? all - first : most), err);
    return status;
}
