/* The choice of the inner loops of resampling. */
#include "kernels/image/resize_kernel.h"

#include "kernels/base/isa.h"

const vb_resize_kernel *vb_resize_kernel_get(void) {
    static const vb_resize_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_resize_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_resize_kernel_avx2,
        [VB_AVX512] = &vb_resize_kernel_avx2,
        [VB_VNNI] = &vb_resize_kernel_avx2,
#endif
    };
    return by_level[vb_isa_level()];
}
