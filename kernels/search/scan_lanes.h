/* The search's loops over rows as they are stored, written once on registers and compiled for AVX2 and AVX-512: few queries,
 * widening, and codes.
 *
 * Internal. Whoever includes it says which by VB_LANES (512 or 256). Codes have the same bits at every level
 * (kernels/search/scan_scalar.c); sums in fp32 depend on the lanes, within the search's radius. */
#ifndef VB_SCAN_LANES_H
#define VB_SCAN_LANES_H

#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/search/coder.h"
#include "kernels/search/scan_kernel.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

#if VB_LANES == 512
#include "kernels/base/dtype_avx512.h"
#include "kernels/matrix/transpose_avx512.h"

typedef __m512 vec;
typedef __m512i codes_vec;
INLINE vec all(float x) { return _mm512_set1_ps(x); }
INLINE vec load(const float *x) { return _mm512_loadu_ps(x); }
INLINE void store(float *out, vec x) { _mm512_storeu_ps(out, x); }
INLINE vec add(vec a, vec b) { return _mm512_add_ps(a, b); }
INLINE vec times(vec a, vec b) { return _mm512_mul_ps(a, b); }
INLINE vec times_plus(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec times_less(vec a, vec b, vec c) { return _mm512_fmsub_ps(a, b, c); }
INLINE vec less_times(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vec larger(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec magnitude(vec x) { return _mm512_abs_ps(x); }
INLINE vec kept(vec x) {
#ifndef VB_AVX512_EMULATED /* tests/emulator/avx512.h: there is no such register */
    __asm__("" : "+v"(x));
#endif
    return x;
}
INLINE vec one_by_root(vec x) { return _mm512_div_ps(_mm512_set1_ps(1), _mm512_sqrt_ps(x)); }
INLINE bool all_within(vec x, vec least, vec most) {
    return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, least, _CMP_GE_OQ), x, most, _CMP_LE_OQ) == 0xffff;
}
INLINE codes_vec to_integers(vec x) { return _mm512_cvtps_epi32(x); }
INLINE vec to_floats(codes_vec x) { return _mm512_cvtepi32_ps(x); }
INLINE codes_vec all_codes(char x) { return _mm512_set1_epi8(x); }
INLINE codes_vec load_codes(const uint8_t *x) { return _mm512_loadu_si512(x); }
INLINE void store_codes(uint8_t *out, codes_vec x) { _mm512_storeu_si512(out, x); }
INLINE codes_vec add_integers(codes_vec a, codes_vec b) { return _mm512_add_epi32(a, b); }
INLINE codes_vec pack_integers(codes_vec a, codes_vec b) { return _mm512_packs_epi32(a, b); }
INLINE codes_vec pack_halves(codes_vec a, codes_vec b) { return _mm512_packs_epi16(a, b); }
INLINE codes_vec square_halves(codes_vec x) { return _mm512_madd_epi16(x, x); }
INLINE codes_vec exclusive_or(codes_vec a, codes_vec b) { return _mm512_xor_si512(a, b); }
INLINE int32_t sum_of_integers(codes_vec x) { return _mm512_reduce_add_epi32(x); }
INLINE float largest_lane(vec x) { return _mm512_reduce_max_ps(x); }

/* The first n elements of a row as they are stored, zeros behind. */
INLINE vec widen(const char *p, const vb_dtype dtype, int64_t n) {
    return vb_dtype_avx512_load(p, dtype, n >= 16 ? 0xffff : n > 0 ? (__mmask16)((1u << n) - 1) : 0);
}

/* The sums of four registers in one of four lanes. */
INLINE __m128 sums_of_four(vec a, vec b, vec c, vec d) {
    __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    __m512 sums = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sums), _mm512_extractf32x8_ps(sums, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
INLINE void store_some(float *out, __m128 x, int64_t n) { _mm_mask_storeu_ps(out, n >= 4 ? 15 : (__mmask8)((1 << n) - 1), x); }

/* The sum of 32 parts: halves are added until one lane is left. */
INLINE float sum_of_parts(const vec parts[2]) {
    vec x = add(parts[0], parts[1]);
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

INLINE void transpose_fours(codes_vec r[16]) { vb_transpose_avx512(r); }

enum { TWO_CHAINS_MOST = VB_SCAN_FEW /* queries that leave registers for two chains of each sum of two rows */ };
#else
#include "kernels/base/dtype_avx2.h"

typedef __m256 vec;
typedef __m256i codes_vec;
INLINE vec all(float x) { return _mm256_set1_ps(x); }
INLINE vec load(const float *x) { return _mm256_loadu_ps(x); }
INLINE void store(float *out, vec x) { _mm256_storeu_ps(out, x); }
INLINE vec add(vec a, vec b) { return _mm256_add_ps(a, b); }
INLINE vec times(vec a, vec b) { return _mm256_mul_ps(a, b); }
INLINE vec times_plus(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec times_less(vec a, vec b, vec c) { return _mm256_fmsub_ps(a, b, c); }
INLINE vec less_times(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vec larger(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE vec magnitude(vec x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
INLINE vec kept(vec x) {
    __asm__("" : "+x"(x));
    return x;
}
INLINE vec one_by_root(vec x) { return _mm256_div_ps(_mm256_set1_ps(1), _mm256_sqrt_ps(x)); }
INLINE bool all_within(vec x, vec least, vec most) {
    return _mm256_movemask_ps(_mm256_and_ps(_mm256_cmp_ps(x, least, _CMP_GE_OQ), _mm256_cmp_ps(x, most, _CMP_LE_OQ))) == 0xff;
}
INLINE codes_vec to_integers(vec x) { return _mm256_cvtps_epi32(x); }
INLINE vec to_floats(codes_vec x) { return _mm256_cvtepi32_ps(x); }
INLINE codes_vec all_codes(char x) { return _mm256_set1_epi8(x); }
INLINE codes_vec load_codes(const uint8_t *x) { return _mm256_loadu_si256((const __m256i *)(const void *)x); }
INLINE void store_codes(uint8_t *out, codes_vec x) { _mm256_storeu_si256((__m256i *)(void *)out, x); }
INLINE codes_vec add_integers(codes_vec a, codes_vec b) { return _mm256_add_epi32(a, b); }
INLINE codes_vec pack_integers(codes_vec a, codes_vec b) { return _mm256_packs_epi32(a, b); }
INLINE codes_vec pack_halves(codes_vec a, codes_vec b) { return _mm256_packs_epi16(a, b); }
INLINE codes_vec square_halves(codes_vec x) { return _mm256_madd_epi16(x, x); }
INLINE codes_vec exclusive_or(codes_vec a, codes_vec b) { return _mm256_xor_si256(a, b); }
INLINE int32_t sum_of_integers(codes_vec x) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    sum = _mm_hadd_epi32(sum, sum);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(sum, sum));
}
INLINE float largest_lane(vec x) {
    __m128 top = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    top = _mm_max_ps(top, _mm_movehl_ps(top, top));
    return _mm_cvtss_f32(_mm_max_ss(top, _mm_movehdup_ps(top)));
}

/* The first n elements of a row as they are stored, zeros behind. */
INLINE vec widen(const char *p, const vb_dtype dtype, int64_t n) { return vb_dtype_avx2_load(p, dtype, n); }

/* The sums of four registers in one of four lanes. */
INLINE __m128 sums_of_four(vec a, vec b, vec c, vec d) {
    __m256 sums = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}
INLINE void store_some(float *out, __m128 x, int64_t n) {
    if (n >= 4) _mm_storeu_ps(out, x);
    else _mm_maskstore_ps(out, _mm_cmpgt_epi32(_mm_set1_epi32((int)n), _mm_setr_epi32(0, 1, 2, 3)), x);
}

/* The sum of 32 parts: halves are added until one lane is left. */
INLINE float sum_of_parts(const vec parts[4]) {
    vec x = add(add(parts[0], parts[2]), add(parts[1], parts[3]));
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/* Eight registers of four-byte elements, the rows of a square, to its columns. */
INLINE void transpose_fours(codes_vec r[8]) {
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

enum { TWO_CHAINS_MOST = 2 /* queries that leave registers for two chains of each sum of two rows */ };
#endif

/* kept(x): x in a register. Left to itself the compiler loads what is used twice again, as if memory cost nothing. */
enum { HELD = VB_LANES / 32 /* floats of a register */, MOST_CHAINS = 2 };

/* ---- few queries ---- */

/* Two rows and their squares against n queries, everything from one look at them: lane sums. The rows lie in places far apart,
 * and either place is read one row after the other. The processor asks for lines ahead of each on its own, but only up to the end
 * of a page: while it begins anew in one place, the other one keeps the memory busy. (Rows that lie near to each other confuse
 * it.) Chains of sums, `chained` of each, keep the units busy. */
INLINE void few_rows(const int n, const int chained, const vb_dtype dtype, const char *const x[2], const float *q, int64_t width,
                     vec square[2], vec products[2][VB_SCAN_FEW]) {
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    vec sum[2][VB_SCAN_FEW][MOST_CHAINS], squares[2][MOST_CHAINS];
    UNROLL for (int s = 0; s < 2; s++) UNROLL for (int p = 0; p < MOST_CHAINS; p++) {
        squares[s][p] = all(0);
        UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) sum[s][j][p] = all(0);
    }
    for (int64_t k = 0; k < width; k += HELD * chained) UNROLL for (int p = 0; p < MOST_CHAINS; p++) if (p < chained) {
            const int64_t at = k + HELD * p;
            const vec xs[2] = {kept(widen(x[0] + at * size, dtype, HELD)), kept(widen(x[1] + at * size, dtype, HELD))};
            UNROLL for (int s = 0; s < 2; s++) squares[s][p] = times_plus(xs[s], xs[s], squares[s][p]);
            UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) {
                const vec y = load(q + j * width + at);
                UNROLL for (int s = 0; s < 2; s++) sum[s][j][p] = times_plus(xs[s], y, sum[s][j][p]);
            }
        }
    UNROLL for (int s = 0; s < 2; s++) {
        square[s] = add(squares[s][0], squares[s][1]);
        UNROLL for (int j = 0; j < VB_SCAN_FEW; j++) if (j < n) products[s][j] = add(sum[s][j][0], sum[s][j][1]);
    }
}

INLINE void few_as(const int n, const vb_dtype dtype, const void *const rows[2], int64_t count, const float *q, int64_t width,
                   float *squares, float *out) {
    const int64_t row_bytes = width * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        vec square[4][2], products[4][2][VB_SCAN_FEW];
        for (int r = 0; r < 4; r++) {
            const int64_t at = (i + r < count ? i + r : count - 1) * row_bytes; /* the last row stands in for missing ones */
            const char *const x[2] = {(const char *)rows[0] + at, (const char *)rows[1] + at};
            if (n <= TWO_CHAINS_MOST && width % (2 * HELD) == 0) few_rows(n, 2, dtype, x, q, width, square[r], products[r]);
            else few_rows(n, 1, dtype, x, q, width, square[r], products[r]);
        }
        UNROLL for (int s = 0; s < 2; s++) {
            store_some(squares + s * VB_SCAN_ROWS + i, sums_of_four(square[0][s], square[1][s], square[2][s], square[3][s]),
                       count - i);
            for (int j = 0; j < n; j++)
                store_some(out + (s * VB_SCAN_FEW + j) * VB_SCAN_ROWS + i,
                           sums_of_four(products[0][s][j], products[1][s][j], products[2][s][j], products[3][s][j]), count - i);
        }
    }
}

#define FEW(n)                                                                                                                   \
    static void few_##n(const void *const rows[2], vb_dtype dtype, int64_t count, const float *q, int64_t width, float *squares, \
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

static void scan_few(const void *const rows[2], vb_dtype dtype, int64_t count, const float *q, int64_t queries, int64_t width,
                     float *squares, float *out) {
    if (queries == 1) few_1(rows, dtype, count, q, width, squares, out);
    else if (queries == 2) few_2(rows, dtype, count, q, width, squares, out);
    else if (queries == 3) few_3(rows, dtype, count, q, width, squares, out);
    else few_4(rows, dtype, count, q, width, squares, out);
}

/* Nothing here waits for a row that is not there yet, but what is done at last with what this gives: so the next block is on its
 * way from memory meanwhile. */
static bool scan_glance(const float *squares, const float *scores, int64_t count, int64_t queries, bool cosine, float least,
                        float most, vb_scan_glance *seen) {
    vec largest = all(0), best[VB_SCAN_FEW];
    bool usual = count >= HELD;
    for (int64_t j = 0; j < VB_SCAN_FEW; j++) best[j] = all(-INFINITY);
    for (int64_t i = 0; i < count && usual; i += HELD) {
        const int64_t at = count - i < HELD ? count - HELD : i; /* the last ones overlap with those before */
        const vec square = load(squares + at), inverse = cosine ? one_by_root(square) : all(1);
        usual &= all_within(square, all(least), all(most));
        largest = larger(largest, square);
        UNROLL for (int64_t j = 0; j < VB_SCAN_FEW; j++) if (j < queries) best[j] =
            larger(times(load(scores + j * VB_SCAN_ROWS + at), inverse), best[j]);
    }
    seen->largest = largest_lane(largest);
    for (int64_t j = 0; j < queries; j++) seen->best[j] = largest_lane(best[j]);
    return usual;
}

/* ---- one row at a time ---- */

INLINE vec widen_row(const char *row, const vb_dtype dtype, int64_t dim, int64_t width, float *out) {
    vec sum[4] = {all(0), all(0), all(0), all(0)};
    const int64_t size = dtype == VB_F32 ? 4 : 2;
    int64_t k = 0;
    for (; k + 4 * HELD <= dim; k += 4 * HELD) UNROLL for (int i = 0; i < 4; i++) {
            vec x = widen(row + (k + HELD * i) * size, dtype, HELD);
            if (out) store(out + k + HELD * i, x);
            sum[i] = times_plus(x, x, sum[i]);
        }
    for (; k < width; k += HELD) {
        vec x = widen(row + k * size, dtype, dim - k);
        if (out) store(out + k, x);
        sum[0] = times_plus(x, x, sum[0]);
    }
    return add(add(sum[0], sum[1]), add(sum[2], sum[3]));
}

INLINE void widen_as(const char *rows, const vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out,
                     float *squares) {
    const int64_t row_bytes = dim * (dtype == VB_F32 ? 4 : 2);
    for (int64_t i = 0; i < count; i += 4) {
        int64_t n = count - i < 4 ? count - i : 4;
        vec square[4] = {all(0), all(0), all(0), all(0)};
        for (int64_t r = 0; r < n; r++)
            square[r] = widen_row(rows + (i + r) * row_bytes, dtype, dim, width, out ? out + (i + r) * width : NULL);
        store_some(squares + i, sums_of_four(square[0], square[1], square[2], square[3]), n);
    }
}

static void scan_widen(const void *rows, vb_dtype dtype, int64_t count, int64_t dim, int64_t width, float *out, float *squares) {
    if (dtype == VB_F32 && !out) widen_as(rows, VB_F32, count, dim, width, NULL, squares);
    else if (dtype == VB_F32) widen_as(rows, VB_F32, count, dim, width, out, squares);
    else if (dtype == VB_F16) widen_as(rows, VB_F16, count, dim, width, out, squares);
    else widen_as(rows, VB_BF16, count, dim, width, out, squares);
}

/* ---- codes ---- */

enum { MOST_CODED = 1024 /* the work space below lies on the stack */, PARTS = 32 / HELD };
static_assert(VB_CODER_GROUP % HELD == 0, "a group's rows are the lanes of whole registers");

/* One row to codes, in fours in the order that packing leaves (`place` below): its scale, and the sums of squares of what is lost
 * and of the codes (kernels/search/scan_scalar.c). whole, plain, constants: width is the map's, the factor is 1. */
INLINE void encode_row(const bool whole, const bool plain, const float *row, float factor, int64_t width, const vb_scan_map *map,
                       uint8_t *codes, float *numbers) {
    float rest[MOST_CODED];
    const vec by = all(factor), none = all(0);
    vec largest[4] = {none, none, none, none}, left[PARTS];
    UNROLL for (int i = 0; i < PARTS; i++) left[i] = none;
    for (int64_t k = 0; k < map->width; k += 4 * HELD) UNROLL for (int i = 0; i < 4; i++) {
            int64_t at = k + HELD * i;
            vec x = whole || at < width ? load(row + at) : none, stretch = load(map->stretch + at), mean = load(map->mean + at);
            vec u = plain ? times_less(x, stretch, mean) : times_less(times(x, stretch), by, mean);
            store(rest + at, u);
            largest[i] = larger(largest[i], magnitude(u));
        }
    float s = largest_lane(larger(larger(largest[0], largest[1]), larger(largest[2], largest[3]))) / 127;
    s = s > 0x1p-100f ? s : 0x1p-100f;
    const vec step = all(s), steps = all(1 / s);
    const codes_vec middle = all_codes((char)0x80);
    codes_vec squares = all_codes(0);
    for (int64_t k = 0; k < map->width; k += 4 * HELD) {
        codes_vec c[4];
        UNROLL for (int i = 0; i < 4; i++) {
            vec u = load(rest + k + HELD * i);
            c[i] = to_integers(times(u, steps));
            vec lost = less_times(to_floats(c[i]), step, u);
            left[i % PARTS] = times_plus(lost, lost, left[i % PARTS]);
        }
        codes_vec low = pack_integers(c[0], c[1]), high = pack_integers(c[2], c[3]);
        squares = add_integers(squares, add_integers(square_halves(low), square_halves(high)));
        store_codes(codes + k, exclusive_or(pack_halves(low, high), middle));
    }
    numbers[0] = s;
    numbers[VB_CODER_GROUP] = sum_of_parts(left);
    numbers[2 * VB_CODER_GROUP] = (float)sum_of_integers(squares);
}

static void scan_encode(const float *rows, const float *factors, const float *widened, int count, int64_t width,
                        const vb_scan_map *map, uint8_t *group) {
    assert(count <= VB_CODER_GROUP && map->width <= MOST_CODED && map->width % 64 == 0);
    float numbers[3][VB_CODER_GROUP] = {{0}};
    uint8_t codes[HELD][MOST_CODED];
    for (int first = 0; first < VB_CODER_GROUP; first += HELD) {
        for (int i = 0; i < HELD && first + i < count; i++) {
            int at = first + i;
            const float *row = rows + at * width;
            if (factors) encode_row(false, false, row, factors[at], width, map, codes[i], &numbers[0][at]);
            else if (width == map->width) encode_row(true, true, row, 1, width, map, codes[i], &numbers[0][at]);
            else encode_row(false, true, row, 1, width, map, codes[i], &numbers[0][at]);
        }
        for (int64_t k = 0; k < map->width; k += 4 * HELD) {
            codes_vec r[HELD];
            UNROLL for (int i = 0; i < HELD; i++) r[i] = first + i < count ? load_codes(codes[i] + k) : all_codes((char)0x80);
            transpose_fours(r);
            UNROLL for (int i = 0; i < HELD; i++) {
                int place = i % 4 * (HELD / 4) + i / 4;
                store_codes(group + k * VB_CODER_GROUP + (place * VB_CODER_GROUP + first) * 4, r[i]);
            }
        }
    }
    for (int i = 0; i < VB_CODER_GROUP; i++) {
        numbers[1][i] = i < count ? sqrtf(numbers[1][i]) * (1 + 0x1p-11f) + widened[i] : -INFINITY;
        numbers[2][i] = sqrtf(numbers[2][i]) * numbers[0][i] * (1 + 0x1p-11f);
    }
    memcpy(group + map->width * VB_CODER_GROUP, numbers, sizeof numbers);
}

#endif
