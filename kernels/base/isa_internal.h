/* What tests need of the instruction set levels besides their own header. */
#ifndef VB_ISA_INTERNAL_H
#define VB_ISA_INTERNAL_H

#include "kernels/base/isa.h"

/* Use at most this level from now on. Not thread-safe. */
void vb_isa_limit(vb_isa level);

#endif
