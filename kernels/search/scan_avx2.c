/* The search's inner loops for AVX2: tiles of 3 rows x 4 queries, lanes along the row. */
#if defined(__x86_64__)
#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/dtype_avx2.h"
#include "kernels/exact/two_sum.h"
#include "kernels/search/coder.h"
#include "kernels/search/scan_kernel.h"

enum { ROWS = 3, QUERIES = 4 };
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

INLINE __m128 sums_of_four(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
}

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

/* ---- few queries ---- */

/* Eight elements as they are stored, all there. */
INLINE __m256 eight(const char *p, const vb_dtype dtype) { return vb_dtype_avx2_load(p, dtype, 8); }

/* One row and its squares against n queries, everything from one look at the row: lane sums. Rows are read one after the other,
 * for the memory is at its fastest then; rows of half the size are asked for ahead, which the processor does not do far enough
 * (for fp32 it does, and is slower when asked). Chains of sums, `phases` of each, keep the units busy meanwhile. */
INLINE void few_row(const int n, const int phases, const vb_dtype dtype, const char *x, const float *q, int64_t width,
                    __m256 *square, __m256 *products) {
    enum { PHASES = 4, AHEAD = 16384 /* bytes */ };
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    __m256 sum[VB_SCAN_FEW][PHASES], squares[PHASES];
    UNROLL for (int p = 0; p < PHASES; p++) squares[p] = _mm256_setzero_ps();
    UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) UNROLL for (int p = 0; p < PHASES; p++) sum[j][p] = _mm256_setzero_ps();
    for (int64_t k = 0; k < width; k += 8 * phases) UNROLL for (int p = 0; p < PHASES; p++) if (p < phases) {
            if (dtype != VB_F32 && p * 8 * size % 64 == 0) _mm_prefetch(x + (k + 8 * p) * size + AHEAD, _MM_HINT_T0);
            __m256 xp = eight(x + (k + 8 * p) * size, dtype);
            squares[p] = _mm256_fmadd_ps(xp, xp, squares[p]);
            UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) sum[j][p] =
                _mm256_fmadd_ps(xp, _mm256_loadu_ps(q + j * width + k + 8 * p), sum[j][p]);
        }
    *square = _mm256_add_ps(_mm256_add_ps(squares[0], squares[1]), _mm256_add_ps(squares[2], squares[3]));
    UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) products[j] =
        _mm256_add_ps(_mm256_add_ps(sum[j][0], sum[j][1]), _mm256_add_ps(sum[j][2], sum[j][3]));
}

INLINE void few_as(const int n, const vb_dtype dtype, const char *rows, int64_t count, const float *q, int64_t width,
                   float *squares, float *out) {
    const int64_t row_bytes = width * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        __m256 square[4], products[4][VB_SCAN_FEW];
        float four[4];
        const size_t there = (size_t)(count - i >= 4 ? 4 : count - i) * sizeof *four;
        for (int r = 0; r < 4; r++) {
            const char *x = rows + (i + r < count ? i + r : count - 1) * row_bytes; /* the last row stands in for missing ones */
            if (n <= 2 && width % 32 == 0) few_row(n, 4, dtype, x, q, width, &square[r], products[r]);
            else few_row(n, 2, dtype, x, q, width, &square[r], products[r]);
        }
        _mm_storeu_ps(four, sums_of_four(square[0], square[1], square[2], square[3]));
        memcpy(squares + i, four, there);
        for (int j = 0; j < n; j++) {
            _mm_storeu_ps(four, sums_of_four(products[0][j], products[1][j], products[2][j], products[3][j]));
            memcpy(out + j * VB_SCAN_ROWS + i, four, there);
        }
    }
}

#define FEW(n)                                                                                                                   \
    static void few_##n(const void *rows, vb_dtype dtype, int64_t count, const float *q, int64_t width, float *squares,          \
                        float *out) {                                                                                            \
        if (dtype == VB_F32) few_as(n, VB_F32, rows, count, q, width, squares, out);                                             \
        else if (dtype == VB_F16) few_as(n, VB_F16, rows, count, q, width, squares, out);                                        \
        else few_as(n, VB_BF16, rows, count, q, width, squares, out);                                                            \
    }
FEW(1)
FEW(2)
FEW(3)
FEW(4)
#undef FEW

static void scan_few_avx2(const void *rows, vb_dtype dtype, int64_t count, const float *q, int64_t queries, int64_t width,
                          float *squares, float *out) {
    if (queries == 1) few_1(rows, dtype, count, q, width, squares, out);
    else if (queries == 2) few_2(rows, dtype, count, q, width, squares, out);
    else if (queries == 3) few_3(rows, dtype, count, q, width, squares, out);
    else few_4(rows, dtype, count, q, width, squares, out);
}

/* ---- one row at a time ---- */

INLINE __m256 widen_row(const char *row, const vb_dtype dtype, int64_t dim, int64_t width, float *out) {
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    int64_t k = 0;
    for (; k + 32 <= dim; k += 32) UNROLL for (int i = 0; i < 4; i++) {
            __m256 x = eight(row + (k + 8 * i) * size, dtype);
            if (out) _mm256_storeu_ps(out + k + 8 * i, x);
            sum[i] = _mm256_fmadd_ps(x, x, sum[i]);
        }
    for (; k < width; k += 8) {
        __m256 x = vb_dtype_avx2_load(row + k * size, dtype, dim - k);
        if (out) _mm256_storeu_ps(out + k, x);
        sum[0] = _mm256_fmadd_ps(x, x, sum[0]);
    }
    return _mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3]));
}

INLINE void widen_as(const char *rows, const vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                     float *squares) {
    const int64_t row_bytes = dim * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        int64_t n = count - i < 4 ? count - i : 4;
        float four[4];
        __m256 square[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
        for (int64_t r = 0; r < n; r++)
            square[r] = widen_row(rows + (i + r) * row_bytes, dtype, dim, width, out ? out + (i + r) * width : NULL);
        _mm_storeu_ps(four, sums_of_four(square[0], square[1], square[2], square[3]));
        memcpy(squares + i, four, (size_t)n * sizeof *four);
    }
}

static void scan_widen_avx2(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                            float *squares) {
    if (dtype == VB_F32 && !out) widen_as(rows, VB_F32, count, dim, width, NULL, squares);
    else if (dtype == VB_F32) widen_as(rows, VB_F32, count, dim, width, out, squares);
    else if (dtype == VB_F16) widen_as(rows, VB_F16, count, dim, width, out, squares);
    else widen_as(rows, VB_BF16, count, dim, width, out, squares);
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

/* ---- codes ---- */

enum { MOST_CODED = 1024 /* the work space below lies on the stack */, HALF = VB_CODER_GROUP / 2 };
static_assert(HALF == 8, "half a group's rows are the lanes of a register");

INLINE float largest_lane(__m256 x) {
    __m128 top = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    top = _mm_max_ps(top, _mm_movehl_ps(top, top));
    return _mm_cvtss_f32(_mm_max_ss(top, _mm_movehdup_ps(top)));
}

/* Halves are added until one lane is left. */
INLINE float sum_of_lanes(__m256 x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

INLINE int32_t sum_of_integers(__m256i x) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    sum = _mm_hadd_epi32(sum, sum);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(sum, sum));
}

/* One row to codes, in fours in the order 0 2 4 6 1 3 5 7: its scale, and the sums of squares of what is lost and of the codes
 * (kernels/search/scan_scalar.c). whole, plain, constants: width is the
 * map's, the factor is 1. */
INLINE void encode_row(const bool whole, const bool plain, const float *row, float factor, int64_t width, const vb_scan_map *map,
                       uint8_t *codes, float *numbers) {
    float rest[MOST_CODED];
    const __m256 by = _mm256_set1_ps(factor), none = _mm256_setzero_ps(), sign = _mm256_set1_ps(-0.0f);
    __m256 largest[4] = {none, none, none, none}, left[4] = {none, none, none, none};
    for (int64_t k = 0; k < map->width; k += 32) UNROLL for (int i = 0; i < 4; i++) {
            int64_t at = k + 8 * i;
            __m256 x = whole || at < width ? _mm256_loadu_ps(row + at) : none, stretch = _mm256_loadu_ps(map->stretch + at),
                   mean = _mm256_loadu_ps(map->mean + at);
            __m256 u = plain ? _mm256_fmsub_ps(x, stretch, mean) : _mm256_fmsub_ps(_mm256_mul_ps(x, stretch), by, mean);
            _mm256_storeu_ps(rest + at, u);
            largest[i] = _mm256_max_ps(largest[i], _mm256_andnot_ps(sign, u));
        }
    float s = largest_lane(_mm256_max_ps(_mm256_max_ps(largest[0], largest[1]), _mm256_max_ps(largest[2], largest[3])));
    s = s / 127 > 0x1p-100f ? s / 127 : 0x1p-100f;
    const __m256 step = _mm256_set1_ps(s), steps = _mm256_set1_ps(1 / s);
    const __m256i middle = _mm256_set1_epi8((char)0x80);
    __m256i squares = _mm256_setzero_si256();
    for (int64_t k = 0; k < map->width; k += 32) {
        __m256i c[4];
        UNROLL for (int i = 0; i < 4; i++) {
            __m256 u = _mm256_loadu_ps(rest + k + 8 * i);
            c[i] = _mm256_cvtps_epi32(_mm256_mul_ps(u, steps));
            __m256 lost = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(c[i]), step, u);
            left[i] = _mm256_fmadd_ps(lost, lost, left[i]);
        }
        __m256i low = _mm256_packs_epi32(c[0], c[1]), high = _mm256_packs_epi32(c[2], c[3]);
        squares = _mm256_add_epi32(squares, _mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high)));
        _mm256_storeu_si256((__m256i *)(void *)(codes + k), _mm256_xor_si256(_mm256_packs_epi16(low, high), middle));
    }
    numbers[0] = s;
    numbers[VB_CODER_GROUP] = sum_of_lanes(_mm256_add_ps(_mm256_add_ps(left[0], left[2]), _mm256_add_ps(left[1], left[3])));
    numbers[2 * VB_CODER_GROUP] = (float)sum_of_integers(squares);
}

/* Eight registers of four-byte elements, the rows of a square, to its columns. */
INLINE void transpose_fours(__m256i r[8]) {
    __m256i t[8], u[8];
    UNROLL for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    UNROLL for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2x128_si256(u[i], u[4 + i], 0x20);
        r[4 + i] = _mm256_permute2x128_si256(u[i], u[4 + i], 0x31);
    }
}

static void scan_encode_avx2(const float *rows, const float *factors, const float *widened, int count, int64_t width,
                             const vb_scan_map *map, uint8_t *group) {
    assert(count <= VB_CODER_GROUP && map->width <= MOST_CODED && map->width % 64 == 0);
    static const int order[HALF] = {0, 2, 4, 6, 1, 3, 5, 7};
    float numbers[3][VB_CODER_GROUP] = {{0}};
    uint8_t codes[HALF][MOST_CODED];
    for (int first = 0; first < VB_CODER_GROUP; first += HALF) {
        for (int i = 0; i < HALF; i++) {
            int at = first + i;
            const float *row = rows + at * width;
            if (at >= count) continue;
            if (factors) encode_row(false, false, row, factors[at], width, map, codes[i], &numbers[0][at]);
            else if (width == map->width) encode_row(true, true, row, 1, width, map, codes[i], &numbers[0][at]);
            else encode_row(false, true, row, 1, width, map, codes[i], &numbers[0][at]);
        }
        for (int64_t k = 0; k < map->width; k += 32) {
            __m256i r[HALF];
            UNROLL for (int i = 0; i < HALF; i++) r[i] = first + i < count ?
                                                             _mm256_loadu_si256((const __m256i *)(const void *)(codes[i] + k)) :
                                                             _mm256_set1_epi8((char)0x80);
            transpose_fours(r);
            UNROLL for (int i = 0; i < HALF; i++)
                _mm256_storeu_si256((__m256i *)(void *)(group + k * VB_CODER_GROUP + order[i] * 4 * VB_CODER_GROUP + first * 4),
                                    r[i]);
        }
    }
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        numbers[1][i] = i < count ? sqrtf(numbers[1][i]) * (1 + 0x1p-11f) + widened[i] : -INFINITY;
        numbers[2][i] = sqrtf(numbers[2][i]) * numbers[0][i] * (1 + 0x1p-11f);
    }
    memcpy(group + map->width * VB_CODER_GROUP, numbers, sizeof numbers);
}

const vb_scan_kernel vb_scan_kernel_avx2 = {.products = scan_products_avx2,
                                            .few = scan_few_avx2,
                                            .few_floats = 3,
                                            .widen = scan_widen_avx2,
                                            .screen = scan_screen_avx2,
                                            .encode = scan_encode_avx2,
                                            .pair = scan_pair_avx2,
                                            .least = scan_least_avx2};
#else
typedef int vb_no_avx2_here;
#endif
