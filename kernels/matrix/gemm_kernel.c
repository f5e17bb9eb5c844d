/* The choice of the matrix product's micro kernel, and the packing of A, which all levels share. */
#include "kernels/matrix/gemm_kernel.h"

#include <assert.h>
#include <string.h>

#include "kernels/base/isa.h"

const vb_gemm_kernel *vb_gemm_kernel_get(void) {
    static const vb_gemm_kernel *const by_level[VB_ISA_LEVELS] = {
        [VB_SCALAR] = &vb_gemm_kernel_scalar,
#if defined(__x86_64__)
        [VB_AVX2] = &vb_gemm_kernel_avx2,
        [VB_AVX512] = &vb_gemm_kernel_avx512,
        [VB_VNNI] = &vb_gemm_kernel_avx512,
#endif
    };
    return by_level[vb_isa_level()];
}

void vb_gemm_kernel_pack_rows(const vb_gemm_a *a, int64_t row, int64_t count, int64_t first, int64_t depth, float *out) {
    assert(depth <= VB_GEMM_DEPTH);
    for (int64_t i = 0; i < count; i++) {
        if (a->data) memcpy(out + i * VB_GEMM_DEPTH, a->data + (row + i) * a->ld + first, (size_t)depth * sizeof *out);
        else a->source(a->context, row + i, first, depth, out + i * VB_GEMM_DEPTH);
    }
}
