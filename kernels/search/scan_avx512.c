/* The search's inner loops for AVX-512: tiles of 6 rows x 4 queries, lanes along the row. */
#if defined(__x86_64__)
#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/dtype_avx512.h"
#include "kernels/exact/two_sum.h"
#include "kernels/matrix/transpose_avx512.h"
#include "kernels/search/coder.h"
#include "kernels/search/scan_kernel.h"

enum { ROWS = 6, QUERIES = 4 };
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* The sums of four registers in one of four lanes. */
INLINE __m128 sums_of_four(__m512 a, __m512 b, __m512 c, __m512 d) {
    __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    __m512 all = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

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

/* ---- few queries ---- */

/* One row and its squares against n queries, everything from one look at the row: lane sums. Rows are read one after the other,
 * for the memory is at its fastest then; rows of half the size are asked for ahead, which the processor does not do far enough
 * (for fp32 it does, and is slower when asked). PHASES chains of sums each keep the units busy meanwhile. */
INLINE void few_row(const int n, const int phases, const vb_dtype dtype, const char *x, const float *q, int64_t width,
                    __m512 *square, __m512 *products) {
    enum { PHASES = 4, AHEAD = 16384 /* bytes */ };
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    __m512 sum[VB_SCAN_FEW][PHASES], squares[PHASES];
    UNROLL for (int p = 0; p < PHASES; p++) squares[p] = _mm512_setzero_ps();
    UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) UNROLL for (int p = 0; p < PHASES; p++) sum[j][p] = _mm512_setzero_ps();
    for (int64_t k = 0; k < width; k += 16 * phases) UNROLL for (int p = 0; p < PHASES; p++) if (p < phases) {
            if (dtype != VB_F32) _mm_prefetch(x + (k + 16 * p) * size + AHEAD, _MM_HINT_T0);
            __m512 xp = vb_dtype_avx512_load(x + (k + 16 * p) * size, dtype, 0xffff);
            squares[p] = _mm512_fmadd_ps(xp, xp, squares[p]);
            UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) sum[j][p] =
                _mm512_fmadd_ps(xp, _mm512_loadu_ps(q + j * width + k + 16 * p), sum[j][p]);
        }
    *square = _mm512_add_ps(_mm512_add_ps(squares[0], squares[1]), _mm512_add_ps(squares[2], squares[3]));
    UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) products[j] =
        _mm512_add_ps(_mm512_add_ps(sum[j][0], sum[j][1]), _mm512_add_ps(sum[j][2], sum[j][3]));
}

INLINE void few_as(const int n, const vb_dtype dtype, const char *rows, int64_t count, const float *q, int64_t width,
                   float *squares, float *out) {
    const int64_t row_bytes = width * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        __m512 square[4], products[4][VB_SCAN_FEW];
        __mmask8 there = count - i >= 4 ? 15 : (__mmask8)((1 << (count - i)) - 1);
        for (int r = 0; r < 4; r++) {
            const char *x = rows + (i + r < count ? i + r : count - 1) * row_bytes; /* the last row stands in for missing ones */
            if (width % 64 == 0) few_row(n, 4, dtype, x, q, width, &square[r], products[r]);
            else few_row(n, 1, dtype, x, q, width, &square[r], products[r]);
        }
        _mm_mask_storeu_ps(squares + i, there, sums_of_four(square[0], square[1], square[2], square[3]));
        for (int j = 0; j < n; j++)
            _mm_mask_storeu_ps(out + j * VB_SCAN_ROWS + i, there,
                               sums_of_four(products[0][j], products[1][j], products[2][j], products[3][j]));
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

static void scan_few_avx512(const void *rows, vb_dtype dtype, int64_t count, const float *q, int64_t queries, int64_t width,
                            float *squares, float *out) {
    if (queries == 1) few_1(rows, dtype, count, q, width, squares, out);
    else if (queries == 2) few_2(rows, dtype, count, q, width, squares, out);
    else if (queries == 3) few_3(rows, dtype, count, q, width, squares, out);
    else few_4(rows, dtype, count, q, width, squares, out);
}

/* ---- one row at a time ---- */

INLINE __m512 widen_row(const char *row, const vb_dtype dtype, int64_t dim, int64_t width, float *out) {
    __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    int64_t k = 0;
    for (; k + 64 <= dim; k += 64) {
        __m512 x[4];
        UNROLL for (int i = 0; i < 4; i++) {
            x[i] = vb_dtype_avx512_load(row + (k + 16 * i) * size, dtype, 0xffff);
            if (out) _mm512_storeu_ps(out + k + 16 * i, x[i]);
        }
        a = _mm512_fmadd_ps(x[0], x[0], a);
        b = _mm512_fmadd_ps(x[1], x[1], b);
        c = _mm512_fmadd_ps(x[2], x[2], c);
        d = _mm512_fmadd_ps(x[3], x[3], d);
    }
    for (; k < width; k += 16) {
        int64_t left = dim - k < 0 ? 0 : dim - k;
        __m512 x = vb_dtype_avx512_load(row + k * size, dtype, left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1));
        if (out) _mm512_storeu_ps(out + k, x);
        a = _mm512_fmadd_ps(x, x, a);
    }
    return _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d));
}

INLINE void widen_as(const char *rows, const vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                     float *squares) {
    const int64_t row_bytes = dim * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        int64_t n = count - i < 4 ? count - i : 4;
        __m512 square[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (int64_t r = 0; r < n; r++)
            square[r] = widen_row(rows + (i + r) * row_bytes, dtype, dim, width, out ? out + (i + r) * width : NULL);
        _mm_mask_storeu_ps(squares + i, (__mmask8)((1 << n) - 1), sums_of_four(square[0], square[1], square[2], square[3]));
    }
}

static void scan_widen_avx512(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                              float *squares) {
    if (dtype == VB_F32 && !out) widen_as(rows, VB_F32, count, dim, width, NULL, squares);
    else if (dtype == VB_F32) widen_as(rows, VB_F32, count, dim, width, out, squares);
    else if (dtype == VB_F16) widen_as(rows, VB_F16, count, dim, width, out, squares);
    else widen_as(rows, VB_BF16, count, dim, width, out, squares);
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

/* ---- codes ---- */

enum { MOST_CODED = 1024 /* the work space below lies on the stack */ };
static_assert(VB_CODER_GROUP == 16, "a group's rows are the lanes of a register");

/* Halves are added until one lane is left. */
INLINE float sum_by_halves(__m512 x) {
    __m256 four = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(four), _mm256_extractf128_ps(four, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/* One row to codes, in fours in the order 0 4 8 12 1 5 9 13 ...: its scale, and the sums of squares of what is lost and of the
 * codes (kernels/search/scan_scalar.c). whole, plain, constants: width is the
 * map's, the factor is 1. */
INLINE void encode_row(const bool whole, const bool plain, const float *row, float factor, int64_t width, const vb_scan_map *map,
                       uint8_t *codes, float *numbers) {
    float rest[MOST_CODED];
    const __m512 by = _mm512_set1_ps(factor), none = _mm512_setzero_ps();
    __m512 largest[4] = {none, none, none, none}, left[2] = {none, none};
    for (int64_t k = 0; k < map->width; k += 64) UNROLL for (int i = 0; i < 4; i++) {
            int64_t at = k + 16 * i;
            __m512 x = whole || at < width ? _mm512_loadu_ps(row + at) : none, stretch = _mm512_loadu_ps(map->stretch + at),
                   mean = _mm512_loadu_ps(map->mean + at);
            __m512 u = plain ? _mm512_fmsub_ps(x, stretch, mean) : _mm512_fmsub_ps(_mm512_mul_ps(x, stretch), by, mean);
            _mm512_storeu_ps(rest + at, u);
            largest[i] = _mm512_max_ps(largest[i], _mm512_abs_ps(u));
        }
    __m512 most = _mm512_max_ps(_mm512_max_ps(largest[0], largest[1]), _mm512_max_ps(largest[2], largest[3]));
    float s = _mm512_reduce_max_ps(most) / 127;
    s = s > 0x1p-100f ? s : 0x1p-100f;
    const __m512 step = _mm512_set1_ps(s), steps = _mm512_set1_ps(1 / s);
    const __m512i middle = _mm512_set1_epi8((char)0x80);
    __m512i squares = _mm512_setzero_si512();
    for (int64_t k = 0; k < map->width; k += 64) {
        __m512i c[4];
        UNROLL for (int i = 0; i < 4; i++) {
            __m512 u = _mm512_loadu_ps(rest + k + 16 * i);
            c[i] = _mm512_cvtps_epi32(_mm512_mul_ps(u, steps));
            __m512 lost = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(c[i]), step, u);
            left[i % 2] = _mm512_fmadd_ps(lost, lost, left[i % 2]);
        }
        __m512i low = _mm512_packs_epi32(c[0], c[1]), high = _mm512_packs_epi32(c[2], c[3]);
        squares = _mm512_add_epi32(squares, _mm512_add_epi32(_mm512_madd_epi16(low, low), _mm512_madd_epi16(high, high)));
        _mm512_storeu_si512(codes + k, _mm512_xor_si512(_mm512_packs_epi16(low, high), middle));
    }
    numbers[0] = s;
    numbers[VB_CODER_GROUP] = sum_by_halves(_mm512_add_ps(left[0], left[1]));
    numbers[2 * VB_CODER_GROUP] = (float)_mm512_reduce_add_epi32(squares);
}

static void scan_encode_avx512(const float *rows, const float *factors, const float *widened, int count, int64_t width,
                               const vb_scan_map *map, uint8_t *group) {
    assert(count <= VB_CODER_GROUP && map->width <= MOST_CODED && map->width % 64 == 0);
    float numbers[3][VB_CODER_GROUP] = {{0}};
    uint8_t codes[VB_CODER_GROUP][MOST_CODED];
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        const float *row = rows + i * width;
        if (i >= count) continue;
        if (factors) encode_row(false, false, row, factors[i], width, map, codes[i], &numbers[0][i]);
        else if (width == map->width) encode_row(true, true, row, 1, width, map, codes[i], &numbers[0][i]);
        else encode_row(false, true, row, 1, width, map, codes[i], &numbers[0][i]);
    }
    for (int64_t k = 0; k < map->width; k += 64) {
        __m512i r[16];
        UNROLL for (int i = 0; i < 16; i++) r[i] = i < count ? _mm512_loadu_si512(codes[i] + k) : _mm512_set1_epi8((char)0x80);
        vb_transpose_avx512(r);
        UNROLL for (int i = 0; i < 16; i++) _mm512_storeu_si512(group + k * VB_CODER_GROUP + (i % 4 * 4 + i / 4) * 64, r[i]);
    }
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        numbers[1][i] = i < count ? sqrtf(numbers[1][i]) * (1 + 0x1p-11f) + widened[i] : -INFINITY;
        numbers[2][i] = sqrtf(numbers[2][i]) * numbers[0][i] * (1 + 0x1p-11f);
    }
    memcpy(group + map->width * VB_CODER_GROUP, numbers, sizeof numbers);
}

const vb_scan_kernel vb_scan_kernel_avx512 = {.products = scan_products_avx512,
                                              .few = scan_few_avx512,
                                              .few_floats = VB_SCAN_FEW,
                                              .widen = scan_widen_avx512,
                                              .screen = scan_screen_avx512,
                                              .encode = scan_encode_avx512,
                                              .pair = scan_pair_avx512,
                                              .least = scan_least_avx512};
#else
typedef int vb_no_avx512_here;
#endif
