/* Attention by plain loops: the definition that vb_attention is tested against, bit for bit. */
#ifndef VB_ATTENTION_REFERENCE_H
#define VB_ATTENTION_REFERENCE_H

#include "kernels/matrix/attention.h"

/* As vb_attention, on one thread. */
int vb_attention_reference(const vb_attention_batch *batch, float *out, int64_t ld_out, vb_error *err);

#endif
