/* Inner products of 8-bit codes for AVX-512 VNNI: 32 rows in the lanes of two registers times up to 12 queries. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels/coded_kernel.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_QUERY(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

INLINE __m512i four_codes(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

/* n and two are constants wherever this is expanded. */
INLINE void tile(const int n, const int two, const uint8_t *x, size_t stride, const int8_t *y, int width, int32_t *out) {
#define BEGIN(q) __m512i a##q = _mm512_setzero_si512(), b##q = a##q;
    EACH_QUERY(BEGIN)
    for (int k = 0; k < width; k += 4, x += 64, y += 4 * n) {
        __m512i low = _mm512_loadu_si512(x), high = two ? _mm512_loadu_si512(x + stride) : low;
#define STEP(q) \
    if (q < n) { \
        __m512i yq = four_codes(y + 4 * q); \
        a##q = _mm512_dpbusd_epi32(a##q, low, yq); \
        if (two) b##q = _mm512_dpbusd_epi32(b##q, high, yq); \
    }
        EACH_QUERY(STEP)
    }
#define END(q) \
    if (q < n) { \
        _mm512_storeu_si512(out + q * VB_PAIR, a##q); \
        if (two) _mm512_storeu_si512(out + q * VB_PAIR + VB_GROUP, b##q); \
    }
    EACH_QUERY(END)
}

/* One group against one query: the codes are read one after the other, for the memory is at its fastest then. */
static void single(const uint8_t *x, const int8_t *y, int width, int32_t *out) {
    __m512i sum[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) sum[i] = _mm512_setzero_si512();
    for (int k = 0; k < width; k += 16, x += 256, y += 16) /* widths are multiples of 64 */
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_loadu_si512(x + 64 * i), four_codes(y + 4 * i));
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), _mm512_add_epi32(sum[2], sum[3])));
}

static void products(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries, int width, int32_t *out) {
    if (queries == 1) {
        for (int g = 0; g < groups; g++) single(codes + (size_t)g * stride, panel, width, out + g * VB_GROUP);
        return;
    }
    switch (groups == 2 ? queries : -queries) {
#define CASE(q) \
    case q + 1: tile(q + 1, 1, codes, stride, panel, width, out); break; \
    case -(q + 1): tile(q + 1, 0, codes, stride, panel, width, out); break;
        EACH_QUERY(CASE)
    default: break;
    }
}

static unsigned screen(const int32_t *dots, const float *numbers, int32_t offset, float alpha, float beta, float threshold) {
    __m512 dot = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(dots), _mm512_set1_epi32(offset)));
    __m512 bound = _mm512_mul_ps(_mm512_set1_ps(alpha), _mm512_loadu_ps(numbers + VB_GROUP));
    bound = _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_loadu_ps(numbers + 2 * VB_GROUP), bound);
    __m512 upper = _mm512_fmadd_ps(_mm512_loadu_ps(numbers), dot, bound);
    return _mm512_cmp_ps_mask(upper, _mm512_set1_ps(threshold), _CMP_GE_OQ);
}

const vb_coded_kernel vb_coded_kernel_vnni = {products, screen};
#else
typedef int vb_no_vnni_here;
#endif
