/* The choice of the row-wise layers. */
#include "kernels/matrix/layers_kernel.h"

#include "kernels/base/isa.h"

const vb_layers_kernel *vb_layers_kernel_get(void) {
    static const vb_layers_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_layers_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_layers_kernel_avx2,
        [VB_AVX512] = &vb_layers_kernel_avx512,
        [VB_VNNI] = &vb_layers_kernel_avx512,
#endif
    };
    return by_level[vb_isa_level()];
}
