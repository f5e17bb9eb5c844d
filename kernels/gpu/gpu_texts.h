/* The kernels' texts, which the Makefile makes of the *.cl beside this file. */
#ifndef VB_GPU_TEXTS_H
#define VB_GPU_TEXTS_H

extern const char vb_gpu_math_cl[], vb_gpu_rows_cl[], vb_gpu_gemm_cl[], vb_gpu_attention_cl[], vb_gpu_winograd_cl[],
    vb_gpu_best_cl[];

#endif
