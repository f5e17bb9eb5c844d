/* The choice of the inner loops of the search through codes. */
#include "kernels/search/coded_kernel.h"

#include "kernels/base/isa.h"

const vb_coded_kernel *vb_coded_kernel_get(void) {
    static const vb_coded_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_coded_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_coded_kernel_avx2,
        [VB_AVX512] = &vb_coded_kernel_avx512, /* 8-bit products came later */
        [VB_VNNI] = &vb_coded_kernel_vnni,
#endif
    };
    return by_level[vb_isa_level()];
}
