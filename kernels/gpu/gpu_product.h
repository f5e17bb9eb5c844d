/* Matrix products on a device. Private to kernels/gpu/. */
#ifndef VB_GPU_PRODUCT_H
#define VB_GPU_PRODUCT_H

#include "kernels/gpu/gpu_work.h"
#include "kernels/matrix/gemm.h"

/* Which optional arrays a kernel gets: its `flags` (gpu_math.cl). */
enum { VB_GPU_HAS_SCALE = 1, VB_GPU_HAS_BIAS = 2, VB_GPU_HAS_GATE = 4, VB_GPU_HAS_RESIDUAL = 8 };

/* As vb_epilogue (kernels/matrix/gemm.h) has it; buffers NULL: none. Scale and bias begin at 0. One activation, `last`: behind
 * the residual. */
typedef struct vb_gpu_epilogue {
    cl_mem scale, bias;
    vb_activation activation;
    bool last;
    vb_gpu_place gate, residual;
    cl_ulong ld_gate, ld_residual;
} vb_gpu_epilogue;

typedef struct vb_gpu_product {
    cl_ulong rows;
    cl_int columns, depth;
    vb_gpu_place a; /* rows of `depth`, without gaps */
    cl_mem b;       /* columns x depth, without gaps */
    vb_dtype type;
    vb_gpu_place c; /* rows of `columns`, without gaps */
    vb_gpu_epilogue epilogue;
    const vb_gpu_tile *tile; /* NULL: the device's choice */
    int products;            /* so many of this shape, all of whose operands lie one behind the other; 0: one */
} vb_gpu_product;

int vb_gpu_product_queue(vb_gpu_device *device, const vb_gpu_product *product, vb_error *err);

#endif
