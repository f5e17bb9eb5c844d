/* Which kernel of the product in three products of bf16 a process uses, and whether it is worth it: looked at when it starts. */
#ifndef VB_BF16X3_CHECK_H
#define VB_BF16X3_CHECK_H

#include <stdbool.h>

#include "kernels/matrix/bf16x3.h"

typedef struct vb_bf16x3_choice {
    const vb_bf16x3_kernel *kernel;
    const char *name; /* of the kernel: "amx_bf16", "avx512_bf16", or the level whose fp32 multiply-adds stand in for them */
    bool native;      /* by instructions for bf16 */
} vb_bf16x3_choice;

/* The best kernel that this processor offers and that gives the definition's bits on a fixed product, which all are
 * compared with: one that does not is passed over. Fails only for lack of memory. */
int vb_bf16x3_check_choose(vb_bf16x3_choice *choice, vb_error *err);

/* How many times as fast as vb_gemm the kernel is on this thread, now: the shape of an encoder's layer, 128 x 768 x 768, both in
 * turn, the best of five by the thread's own time. */
int vb_bf16x3_check_speed(const vb_bf16x3_kernel *kernel, double *times, vb_error *err);

#endif
