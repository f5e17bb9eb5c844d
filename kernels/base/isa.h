/* Instruction set levels: what the processor offers, and what the user allows (VOCABENCH_ISA=scalar|avx2|avx512|vnni). */
#ifndef VB_ISA_H
#define VB_ISA_H

#include <stdbool.h>

typedef enum vb_isa { VB_SCALAR, VB_AVX2, VB_AVX512, VB_VNNI, VB_ISA_LEVELS } vb_isa; /* each includes those before it */

/* The level in use: the highest the processor and the operating system offer, at most the one that VOCABENCH_ISA names. Found
 * from feature flags, never from model names. Thread-safe; constant in a process but for isa_internal.h. */
vb_isa vb_isa_level(void);

const char *vb_isa_name(vb_isa level);   /* "scalar", "avx2", "avx512", "vnni" */
vb_isa vb_isa_of_name(const char *name); /* VB_ISA_LEVELS: of none */

/* What processors of the highest level may have besides: AVX512-BF16; AMX with bf16, where Linux lets the process use it (which
 * this asks for). False at lower levels. */
bool vb_isa_has_bf16(void);
bool vb_isa_has_amx(void);

#endif
