/* The search's inner loops for AVX2: tiles of 3 rows x 4 queries, lanes along the row. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/base/dtype_avx2.h"
#include "kernels/exact/two_sum.h"
#include "kernels/search/scan_kernel.h"

enum { ROWS = 3, QUERIES = 4 };
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

INLINE __m128 sums_of_four(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
}

/* m and n are constants wherever this is expanded. */
INLINE void tile(const int m, const int n, const float *x, const float *q, int64_t width, float *out, int64_t ldout) {
    __m256 sum[ROWS][QUERIES];
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < QUERIES; j++) sum[i][j] = _mm256_setzero_ps();
    for (int64_t k = 0; k < width; k += 8) {
        __m256 xs[ROWS];
        UNROLL for (int i = 0; i < ROWS; i++) if (i < m) xs[i] = _mm256_loadu_ps(x + i * width + k);
        UNROLL for (int j = 0; j < QUERIES; j++) if (j < n) {
            __m256 y = _mm256_loadu_ps(q + j * width + k);
            UNROLL for (int i = 0; i < ROWS; i++) if (i < m) sum[i][j] = _mm256_fmadd_ps(xs[i], y, sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < ROWS; i++) if (i < m) {
        float four[4];
        _mm_storeu_ps(four, sums_of_four(sum[i][0], sum[i][1], sum[i][2], sum[i][3]));
        memcpy(out + i * ldout, four, (size_t)n * sizeof *out);
    }
}

#define PART(m, n)                                                                                                               \
    static void part_##m##_##n(const float *x, const float *q, int64_t width, float *out, int64_t ldout) {                       \
        tile(m, n, x, q, width, out, ldout);                                                                                     \
    }
PART(3, 1)
PART(3, 2)
PART(3, 3)
PART(3, 4)
PART(1, 1)
PART(1, 2)
PART(1, 3)
PART(1, 4)
#undef PART

typedef void tile_function(const float *x, const float *q, int64_t width, float *out, int64_t ldout);
static tile_function *const tall[QUERIES + 1] = {NULL, part_3_1, part_3_2, part_3_3, part_3_4};
static tile_function *const flat[QUERIES + 1] = {NULL, part_1_1, part_1_2, part_1_3, part_1_4};

static void scan_products_avx2(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out,
                               int64_t ldout, vb_scan_ahead ahead) {
    (void)ahead; /* the processors of this level are left to their own foresight */
    for (int64_t i = 0; i < rows;) {
        int64_t step = rows - i >= ROWS ? ROWS : 1;
        tile_function *const *tiles = step == ROWS ? tall : flat;
        for (int64_t j = 0; j < queries; j += QUERIES) {
            int64_t n = queries - j < QUERIES ? queries - j : QUERIES;
            tiles[n](x + i * width, q + j * width, width, out + i * ldout + j, ldout);
        }
        i += step;
    }
}

INLINE float widen_as(const char *row, vb_dtype dtype, int64_t dim, int64_t width, float *out) {
    __m256 a = _mm256_setzero_ps(), b = a;
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    for (int64_t k = 0; k < width; k += 16) {
        __m256 x = vb_dtype_avx2_load(row + k * size, dtype, dim - k),
               y = vb_dtype_avx2_load(row + (k + 8) * size, dtype, dim - k - 8);
        if (out) {
            _mm256_storeu_ps(out + k, x);
            _mm256_storeu_ps(out + k + 8, y);
        }
        a = _mm256_fmadd_ps(x, x, a);
        b = _mm256_fmadd_ps(y, y, b);
    }
    float four[4];
    _mm_storeu_ps(four, sums_of_four(a, b, _mm256_setzero_ps(), _mm256_setzero_ps()));
    return four[0] + four[1];
}

static void scan_widen_avx2(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                            float *squares) {
    const int64_t row_bytes = dim * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i++) {
        const char *row = (const char *)rows + i * row_bytes;
        float *to = out ? out + i * width : NULL;
        squares[i] = dtype == VB_F32 ? to ? widen_as(row, VB_F32, dim, width, to) : widen_as(row, VB_F32, dim, width, NULL) :
                     dtype == VB_F16 ? widen_as(row, VB_F16, dim, width, to) :
                                       widen_as(row, VB_BF16, dim, width, to);
    }
}

static int scan_screen_avx2(const float *scores, int64_t ld, int64_t rows, const float *thresholds, int count, int *hits) {
    int found = 0;
    for (int64_t row = 0; row < rows; row++) {
        const float *of_row = scores + row * ld;
        int i = 0, at = (int)(row * ld);
        for (; i + 8 <= count; i += 8) {
            __m256 pass = _mm256_cmp_ps(_mm256_loadu_ps(of_row + i), _mm256_loadu_ps(thresholds + i), _CMP_GE_OQ);
            for (unsigned bits = (unsigned)_mm256_movemask_ps(pass); bits; bits &= bits - 1)
                hits[found++] = at + i + __builtin_ctz(bits);
        }
        for (; i < count; i++)
            if (of_row[i] >= thresholds[i]) hits[found++] = at + i;
    }
    return found;
}

static void scan_pair_avx2(const float *x, const float *q, int64_t width, double *sum, double *rest) {
    __m256d s[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()}, e[2] = {_mm256_setzero_pd(), _mm256_setzero_pd()};
    for (int64_t k = 0; k < width; k += 8) UNROLL for (int h = 0; h < 2; h++) {
            __m256d p = _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + k + 4 * h)), _mm256_cvtps_pd(_mm_loadu_ps(q + k + 4 * h)));
            __m256d t = _mm256_add_pd(s[h], p), back = _mm256_sub_pd(t, s[h]);
            e[h] = _mm256_add_pd(e[h], _mm256_add_pd(_mm256_sub_pd(s[h], _mm256_sub_pd(t, back)), _mm256_sub_pd(p, back)));
            s[h] = t;
        }
    double sums[8], errors[8];
    for (int h = 0; h < 2; h++) {
        _mm256_storeu_pd(sums + 4 * h, s[h]);
        _mm256_storeu_pd(errors + 4 * h, e[h]);
    }
    vb_two_sum_join(sums, errors, sum, rest);
}

static float scan_least_avx2(const float *x, int64_t width) {
    __m256 smallest = _mm256_set1_ps(INFINITY), sign = _mm256_set1_ps(-0.0f), zero = _mm256_setzero_ps();
    for (int64_t k = 0; k < width; k += 8) {
        __m256 a = _mm256_andnot_ps(sign, _mm256_loadu_ps(x + k));
        smallest = _mm256_min_ps(smallest, _mm256_blendv_ps(smallest, a, _mm256_cmp_ps(a, zero, _CMP_NEQ_OQ)));
    }
    float all[8], result = INFINITY;
    _mm256_storeu_ps(all, smallest);
    for (int i = 0; i < 8; i++) result = fminf(result, all[i]);
    return result;
}

const vb_scan_kernel vb_scan_kernel_avx2 = {.products = scan_products_avx2,
                                            .widen = scan_widen_avx2,
                                            .screen = scan_screen_avx2,
                                            .pair = scan_pair_avx2,
                                            .least = scan_least_avx2};
#else
typedef int vb_no_avx2_here;
#endif
