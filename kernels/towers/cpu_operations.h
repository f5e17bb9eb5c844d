/* The operations of towers on the CPU: a function for each kind. Every element of a value is one fixed chain of floating-point
 * operations, so that embeddings have the same bits at any batch size, thread count and instruction set level. */
#ifndef VB_CPU_OPERATIONS_H
#define VB_CPU_OPERATIONS_H

#include "kernels/towers/piece.h"

extern vb_piece_function *const vb_cpu_operations[VB_OP_KINDS];

#endif
