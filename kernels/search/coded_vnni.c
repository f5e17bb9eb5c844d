/* Inner products of 8-bit codes for AVX-512 VNNI: 32 rows in the lanes of two registers times up to 12 queries. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "kernels/search/coded_screen_avx512.h"

#define INLINE static inline __attribute__((always_inline))
#define EACH_QUERY(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

INLINE __m512i four_codes(const int8_t *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

/* n and two are constants wherever this is expanded. */
INLINE void tile(const int n, const int two, const uint8_t *x, size_t stride, const int8_t *y, const int32_t *offsets, int width,
                 int32_t *out) {
#define BEGIN(q) __m512i a##q = _mm512_set1_epi32(q < n ? -offsets[q] : 0), b##q = a##q;
    EACH_QUERY(BEGIN)
    for (int k = 0; k < width; k += 4, x += 64, y += 4 * n) {
        if (two) { /* the same place of the next pair */
            _mm_prefetch(x + 2 * stride, _MM_HINT_T1);
            _mm_prefetch(x + 3 * stride, _MM_HINT_T1);
        }
        __m512i low = _mm512_loadu_si512(x), high = two ? _mm512_loadu_si512(x + stride) : low;
#define STEP(q)                                                                                                                  \
    if (q < n) {                                                                                                                 \
        __m512i yq = four_codes(y + 4 * q);                                                                                      \
        a##q = _mm512_dpbusd_epi32(a##q, low, yq);                                                                               \
        if (two) b##q = _mm512_dpbusd_epi32(b##q, high, yq);                                                                     \
    }
        EACH_QUERY(STEP)
    }
#define END(q)                                                                                                                   \
    if (q < n) {                                                                                                                 \
        _mm512_storeu_si512(out + q * VB_CODED_PAIR, a##q);                                                                      \
        if (two) _mm512_storeu_si512(out + q * VB_CODED_PAIR + VB_CODER_GROUP, b##q);                                            \
    }
    EACH_QUERY(END)
}

/* One group against one query: the codes are read one after the other, which the processor foresees better than it can be
 * told. */
static void single(const uint8_t *x, const int8_t *y, int32_t offset, int width, int32_t *out) {
    __m512i sum[4];
    sum[0] = _mm512_set1_epi32(-offset);
#pragma GCC unroll 3
    for (int i = 1; i < 4; i++) sum[i] = _mm512_setzero_si512();
    for (int k = 0; k < width; k += 16, x += 256, y += 16) /* widths are multiples of 64 */
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_loadu_si512(x + 64 * i), four_codes(y + 4 * i));
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), _mm512_add_epi32(sum[2], sum[3])));
}

static void coded_products_vnni(const uint8_t *codes, size_t stride, int groups, const int8_t *panel, int queries,
                                const int32_t *offsets, int width, int32_t *out) {
    if (queries == 1) {
        for (int g = 0; g < groups; g++) single(codes + (size_t)g * stride, panel, offsets[0], width, out + g * VB_CODER_GROUP);
        return;
    }
    switch (groups == 2 ? queries : -queries) {
#define CASE(q)                                                                                                                  \
    case q + 1: tile(q + 1, 1, codes, stride, panel, offsets, width, out); break;                                                \
    case -(q + 1): tile(q + 1, 0, codes, stride, panel, offsets, width, out); break;
        EACH_QUERY(CASE)
    default: break;
    }
}

const vb_coded_kernel vb_coded_kernel_vnni = {.most = 127, .products = coded_products_vnni, .screen = coded_screen};
#else
typedef int vb_no_vnni_here;
#endif
