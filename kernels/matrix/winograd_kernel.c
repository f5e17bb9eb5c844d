/* The choice of Winograd's transforms. */
#include "kernels/matrix/winograd_kernel.h"

#include "kernels/base/isa.h"

const vb_winograd_kernel *vb_winograd_kernel_get(void) {
    static const vb_winograd_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_winograd_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_winograd_kernel_avx2,
        [VB_AVX512] = &vb_winograd_kernel_avx512,
        [VB_VNNI] = &vb_winograd_kernel_avx512,
#endif
    };
    return by_level[vb_isa_level()];
}
