/* The choice of attention's kernel. */
#include "kernels/matrix/attention_kernel.h"

#include "kernels/base/isa.h"

const vb_attention_kernel *vb_attention_kernel_get(void) {
    static const vb_attention_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_attention_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_attention_kernel_avx2,
        [VB_AVX512] = &vb_attention_kernel_avx512,
        [VB_VNNI] = &vb_attention_kernel_avx512,
#endif
    };
    return by_level[vb_isa_level()];
}
