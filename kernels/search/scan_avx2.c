/* The search's inner loops for AVX2: tiles of 3 rows x 4 queries, lanes along the row. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#define VB_LANES 256
#include "kernels/exact/two_sum.h"
#include "kernels/search/scan_kernel.h"
#include "kernels/search/scan_lanes.h"

enum { ROWS = 3, QUERIES = 4 };

/* Lines of memory to ask for, `gap` bytes apart. */
typedef struct requests {
    const char *at;
    int64_t gap;
} requests;

/* m and n are constants wherever this is expanded. */
INLINE void tile(const int m, const int n, const float *x, const float *q, int64_t width, float *out, int64_t ldout,
                 requests ahead) {
    __m256 sum[ROWS][QUERIES];
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < QUERIES; j++) sum[i][j] = _mm256_setzero_ps();
    for (int64_t k = 0; k < width; k += 8) {
        __m256 xs[ROWS];
        _mm_prefetch(ahead.at, _MM_HINT_T1);
        ahead.at += ahead.gap;
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

typedef void tile_function(const float *x, const float *q, int64_t width, float *out, int64_t ldout, requests ahead);

#define PART(m, n)                                                                                                               \
    static void part_##m##_##n(const float *x, const float *q, int64_t width, float *out, int64_t ldout, requests ahead) {       \
        tile(m, n, x, q, width, out, ldout, ahead);                                                                              \
    }
PART(3, 1)
PART(3, 2)
PART(3, 3)
PART(3, 4)
PART(1, 2)
PART(1, 3)
PART(1, 4)
#undef PART

/* One row times one query. */
static void one_product(const float *x, const float *q, int64_t width, float *out, int64_t ldout, requests ahead) {
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    (void)ldout, (void)ahead;
    for (int64_t k = 0; k < width; k += 16) {
        int64_t half = k / 16 % 2 * 2;
        UNROLL for (int i = 0; i < 2; i++) sum[half + i] =
            _mm256_fmadd_ps(_mm256_loadu_ps(x + k + 8 * i), _mm256_loadu_ps(q + k + 8 * i), sum[half + i]);
    }
    __m128 four = sums_of_four(sum[0], sum[1], sum[2], sum[3]);
    *out = _mm_cvtss_f32(_mm_hadd_ps(_mm_hadd_ps(four, four), four));
}

static tile_function *const tall[QUERIES + 1] = {NULL, part_3_1, part_3_2, part_3_3, part_3_4};
static tile_function *const flat[QUERIES + 1] = {NULL, one_product, part_1_2, part_1_3, part_1_4};

/* What is wanted soon is asked for evenly: in bursts the requests would wait for each other, and the tiles for them. */
static void scan_products_avx2(const float *x, int64_t rows, const float *q, int64_t queries, int64_t width, float *out,
                               int64_t ldout, vb_scan_ahead ahead) {
    int64_t tiles = (rows / ROWS + rows % ROWS) * ((queries + QUERIES - 1) / QUERIES), lines = tiles * (width / 8);
    requests next = {ahead.at, (ahead.bytes + lines - 1) / lines};
    for (int64_t i = 0, step; i < rows; i += step) {
        step = rows - i >= ROWS ? ROWS : 1;
        tile_function *const *parts = step == ROWS ? tall : flat;
        for (int64_t j = 0; j < queries; j += QUERIES, next.at += next.gap * (width / 8)) {
            int64_t n = queries - j < QUERIES ? queries - j : QUERIES;
            parts[n](x + i * width, q + j * width, width, out + i * ldout + j, ldout, next);
        }
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
                                            .few = scan_few,
                                            .glance = scan_glance,
                                            .few_floats = 3,
                                            .widen = scan_widen,
                                            .screen = scan_screen_avx2,
                                            .encode = scan_encode,
                                            .pair = scan_pair_avx2,
                                            .least = scan_least_avx2};
#else
typedef int vb_no_avx2_here;
#endif
