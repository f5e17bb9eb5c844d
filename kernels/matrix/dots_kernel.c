/* The choice of the fp64 inner products. */
#include "kernels/matrix/dots_kernel.h"

#include "kernels/base/isa.h"

const vb_dots_kernel *vb_dots_kernel_get(void) {
    static const vb_dots_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_dots_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_dots_kernel_avx2,
        [VB_AVX512] = &vb_dots_kernel_avx512,
        [VB_VNNI] = &vb_dots_kernel_avx512,
#endif
    };
    return by_level[vb_isa_level()];
}
