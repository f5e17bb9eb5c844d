/* Products by tiles. */
#include "kernels/gpu/gpu_product.h"

#include <stdio.h>

#include "kernels/gpu/gpu_texts.h"

int vb_gpu_product_queue(vb_gpu_device *device, const vb_gpu_product *product, vb_error *err) {
    const vb_gpu_tile *by = product->tile;
    if (!by) by = vb_gpu_tiles_of(device, product->rows, product->columns, product->type != VB_F32);
    const vb_gpu_epilogue *e = &product->epilogue;
    const bool aligned = product->depth % 4 == 0 && product->a.at % 4 == 0;
    const bool late = e->last && e->activation != VB_LINEAR;
    const cl_int type = product->type == VB_F32 ? 0 :
                        product->type == VB_F16 ? 1 :
                                                  2,
                 activation = (cl_int)e->activation, is_late = late;
    char options[VB_GPU_OPTIONS];
    const int length = snprintf(options, sizeof options, "-DBM=%d -DBN=%d -DBK=%d -DTM=%d -DTN=%d", by->rows, by->columns,
                                by->depth, by->item_rows, by->item_columns);
    if (!device->generic)
        snprintf(options + length, sizeof options - (size_t)length, " -DUNROLL -DTYPE=%d -DACTIVATION=%d%s%s", type, activation,
                 late ? " -DLATE" : "", aligned ? " -DALIGNED" : "");
    vb_gpu_module *module;
    if (vb_gpu_work_module(device, vb_gpu_gemm_cl, options, &module, err)) return -1;
    const cl_mem none = device->nothing;
    const cl_mem scale = e->scale ? e->scale : none, bias = e->bias ? e->bias : none,
                 gate = e->gate.buffer ? e->gate.buffer : none, residual = e->residual.buffer ? e->residual.buffer : none;
    const cl_int flags = (e->scale ? VB_GPU_HAS_SCALE : 0) | (e->bias ? VB_GPU_HAS_BIAS : 0) |
                         (e->gate.buffer ? VB_GPU_HAS_GATE : 0) | (e->residual.buffer ? VB_GPU_HAS_RESIDUAL : 0);
    const cl_ulong lda = (cl_ulong)product->depth, ldc = (cl_ulong)product->columns;
    const vb_gpu_argument arguments[] = {VB_GPU_ARGUMENT(product->rows),
                                         VB_GPU_ARGUMENT(product->columns),
                                         VB_GPU_ARGUMENT(product->depth),
                                         VB_GPU_ARGUMENT(product->a.buffer),
                                         VB_GPU_ARGUMENT(product->a.at),
                                         VB_GPU_ARGUMENT(lda),
                                         VB_GPU_ARGUMENT(product->b),
                                         VB_GPU_ARGUMENT(type),
                                         VB_GPU_ARGUMENT(activation),
                                         VB_GPU_ARGUMENT(is_late),
                                         VB_GPU_ARGUMENT(product->c.buffer),
                                         VB_GPU_ARGUMENT(product->c.at),
                                         VB_GPU_ARGUMENT(ldc),
                                         VB_GPU_ARGUMENT(flags),
                                         VB_GPU_ARGUMENT(scale),
                                         VB_GPU_ARGUMENT(bias),
                                         VB_GPU_ARGUMENT(gate),
                                         VB_GPU_ARGUMENT(e->gate.at),
                                         VB_GPU_ARGUMENT(e->ld_gate),
                                         VB_GPU_ARGUMENT(residual),
                                         VB_GPU_ARGUMENT(e->residual.at),
                                         VB_GPU_ARGUMENT(e->ld_residual)};
    const size_t across = ((size_t)product->columns + (size_t)by->columns - 1) / (size_t)by->columns,
                 down = ((size_t)product->rows + (size_t)by->rows - 1) / (size_t)by->rows,
                 items = (size_t)(by->rows / by->item_rows * (by->columns / by->item_columns));
    const vb_gpu_launch launch = {module,
                                  "gemm",
                                  arguments,
                                  sizeof arguments / sizeof *arguments,
                                  {across * down, product->products ? (size_t)product->products : 1, 1},
                                  {items, 1, 1}};
    return vb_gpu_work_launch(device, &launch, err);
}
