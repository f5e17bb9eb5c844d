/* The search's inner loops for AVX-512: tiles of 6 rows x 4 queries, lanes along the row. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#define VB_LANES 512
#include "kernels/exact/two_sum.h"
#include "kernels/search/scan_kernel.h"
#include "kernels/search/scan_lanes.h"

enum { ROWS = 6, QUERIES = 4 };

INLINE float sum_of_lanes(const __m512 x[4]) {
    return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(x[0], x[1]), _mm512_add_ps(x[2], x[3])));
}

/* Lines of memory to ask for, `gap` bytes apart. */
typedef struct requests {
    const char *at;
    int64_t gap;
} requests;

/* m and n are constants wherever this is expanded. */
INLINE void tile(const int m, const int n, const float *x, const float *q, int64_t width, float *out, int64_t ldout,
                 requests ahead) {
    __m512 sum[ROWS][QUERIES];
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < QUERIES; j++) sum[i][j] = _mm512_setzero_ps();
    for (int64_t k = 0; k < width; k += 16) {
        __m512 y[QUERIES];
        _mm_prefetch(ahead.at, _MM_HINT_T1);
        _mm_prefetch(ahead.at + ahead.gap, _MM_HINT_T1);
        ahead.at += 2 * ahead.gap;
        UNROLL for (int j = 0; j < QUERIES; j++) if (j < n) y[j] = _mm512_loadu_ps(q + j * width + k);
        UNROLL for (int i = 0; i < ROWS; i++) if (i < m) {
            __m512 xi = _mm512_loadu_ps(x + i * width + k);
            UNROLL for (int j = 0; j < QUERIES; j++) if (j < n) sum[i][j] = _mm512_fmadd_ps(xi, y[j], sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < ROWS; i++) if (i < m) {
        __m128 four = sums_of_four(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
        _mm_mask_storeu_ps(out + i * ldout, (__mmask8)((1 << n) - 1), four);
    }
}

typedef void tile_function(const float *x, const float *q, int64_t width, float *out, int64_t ldout, requests ahead);

#define PART(m, n)                                                                                                               \
    static void part_##m##_##n(const float *x, const float *q, int64_t width, float *out, int64_t ldout, requests ahead) {       \
        tile(m, n, x, q, width, out, ldout, ahead);                                                                              \
    }
PART(6, 1)
PART(6, 2)
PART(6, 3)
PART(6, 4)
PART(1, 1)
PART(1, 2)
PART(1, 3)
PART(1, 4)
#undef PART

static tile_function *const tall[QUERIES + 1] = {NULL, part_6_1, part_6_2, part_6_3, part_6_4};
static tile_function *const flat[QUERIES + 1] = {NULL, part_1_1, part_1_2, part_1_3, part_1_4};

/* One row times one query. */
static float product(const float *x, const float *q, int64_t width) {
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    int64_t k = 0;
    for (; k + 64 <= width; k += 64)
        UNROLL for (int i = 0; i < 4; i++) sum[i] =
            _mm512_fmadd_ps(_mm512_loadu_ps(x + k + 16 * i), _mm512_loadu_ps(q + k + 16 * i), sum[i]);
    for (; k < width; k += 16) sum[0] = _mm512_fmadd_ps(_mm512_loadu_ps(x + k), _mm512_loadu_ps(q + k), sum[0]);
    return sum_of_lanes(sum);
}

/* What is wanted soon is asked for evenly: in bursts the requests would wait for each other, and the tiles for them. */
static void scan_products_avx512(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out,
                                 int64_t ldout, vb_scan_ahead ahead) {
    if (rows == 1 && queries == 1) {
        *out = product(x, q, width);
        return;
    }
    int64_t tiles = (rows / ROWS + rows % ROWS) * ((queries + QUERIES - 1) / QUERIES), lines = tiles * (width / 16) * 2;
    requests next = {ahead.at, (ahead.bytes + lines - 1) / lines};
    for (int64_t i = 0, step; i < rows; i += step) {
        step = rows - i >= ROWS ? ROWS : 1;
        tile_function *const *parts = step == ROWS ? tall : flat;
        for (int64_t j = 0; j < queries; j += QUERIES, next.at += next.gap * (width / 16) * 2) {
            int64_t n = queries - j < QUERIES ? queries - j : QUERIES;
            parts[n](x + i * width, q + j * width, width, out + i * ldout + j, ldout, next);
        }
    }
}

static int scan_screen_avx512(const float *scores, int64_t ld, int64_t rows, const float *thresholds, int count, int *hits) {
    int found = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int i = 0; i < count; i += 16) {
            __mmask16 mask = count - i >= 16 ? 0xffff : (__mmask16)((1u << (count - i)) - 1);
            __m512 score = _mm512_maskz_loadu_ps(mask, scores + row * ld + i),
                   least = _mm512_maskz_loadu_ps(mask, thresholds + i);
            unsigned pass = _mm512_mask_cmp_ps_mask(mask, score, least, _CMP_GE_OQ);
            for (; pass; pass &= pass - 1) hits[found++] = (int)(row * ld) + i + __builtin_ctz(pass);
        }
    return found;
}

static void scan_pair_avx512(const float *x, const float *q, int64_t width, double *sum, double *rest) {
    __m512d s = _mm512_setzero_pd(), e = s;
    for (int64_t k = 0; k < width; k += 8) {
        __m512d p = _mm512_mul_pd(_mm512_cvtps_pd(_mm256_loadu_ps(x + k)), _mm512_cvtps_pd(_mm256_loadu_ps(q + k)));
        __m512d t = _mm512_add_pd(s, p), back = _mm512_sub_pd(t, s);
        e = _mm512_add_pd(e, _mm512_add_pd(_mm512_sub_pd(s, _mm512_sub_pd(t, back)), _mm512_sub_pd(p, back)));
        s = t;
    }
    double sums[8], errors[8];
    _mm512_storeu_pd(sums, s);
    _mm512_storeu_pd(errors, e);
    vb_two_sum_join(sums, errors, sum, rest);
}

static float scan_least_avx512(const float *x, int64_t width) {
    __m512 smallest = _mm512_set1_ps(INFINITY), zero = _mm512_setzero_ps();
    for (int64_t k = 0; k < width; k += 16) {
        __m512 a = _mm512_abs_ps(_mm512_loadu_ps(x + k));
        smallest = _mm512_mask_min_ps(smallest, _mm512_cmp_ps_mask(a, zero, _CMP_NEQ_OQ), smallest, a);
    }
    return _mm512_reduce_min_ps(smallest);
}

const vb_scan_kernel vb_scan_kernel_avx512 = {.products = scan_products_avx512,
                                              .few = scan_few,
                                              .glance = scan_glance,
                                              .few_floats = VB_SCAN_FEW,
                                              .widen = scan_widen,
                                              .screen = scan_screen_avx512,
                                              .encode = scan_encode,
                                              .pair = scan_pair_avx512,
                                              .least = scan_least_avx512};
#else
typedef int vb_no_avx512_here;
#endif
