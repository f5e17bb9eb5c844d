/* The choice among the kernels of the product in three products of bf16. */
#include "kernels/matrix/bf16x3_kernel.h"

#include "kernels/base/isa.h"

const vb_bf16x3_kernel *vb_bf16x3_kernel_at(int index) {
    const vb_bf16x3_kernel *fit[6] = {0};
    int count = 0;
#if defined(__x86_64__)
    const vb_isa level = vb_isa_level();
    if (vb_isa_has_amx()) fit[count++] = &vb_bf16x3_kernel_amx;
    if (vb_isa_has_bf16()) fit[count++] = &vb_bf16x3_kernel_bf16;
    if (level >= VB_AVX512) fit[count++] = &vb_bf16x3_kernel_avx512;
    if (level >= VB_AVX2) fit[count++] = &vb_bf16x3_kernel_avx2;
#endif
    fit[count++] = &vb_bf16x3_kernel_scalar;
    return index < count ? fit[index] : NULL;
}
