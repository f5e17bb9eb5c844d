/* One head of attention, written once on sixteen lanes and compiled for every instruction set level.
 *
 * A block of queries at a time, as many as the registers allow: their scores, with keys as lanes; the softmax of each row; the
 * sum of the values, with columns as lanes. Each score is one chain over the head's columns, each result one chain over the
 * keys that its query sees and no others, so nothing depends on blocks: with `causal` the rows of a block end one after the
 * other.
 *
 * Internal. Defines the table VB_ATTENTION_KERNEL; the including file sets that name and VB_LANES. */
#ifndef VB_ATTENTION_LANES_H
#define VB_ATTENTION_LANES_H

#include <assert.h>
#include <math.h>

#include "kernels/matrix/attention_kernel.h"
#include "kernels/matrix/lanes_math.h"

/* ROWS x ACROSS accumulators of sixteen lanes, ACROSS of the packed operand, and one of the other. */
#if VB_LANES == 512
#include "kernels/matrix/transpose_avx512.h"
enum { ROWS = 14, ACROSS = 2 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
#define EACH_STEP(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12)
#elif VB_LANES == 256
#include "kernels/matrix/transpose_avx2.h"
enum { ROWS = 6, ACROSS = 1 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define EACH_STEP(DO) DO(0) DO(1) DO(2) DO(3) DO(4)
#else
enum { ROWS = 4, ACROSS = 1 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3)
#define EACH_STEP(DO) DO(0) DO(1) DO(2)
#endif

/* Rows of a block (queries, then scores, then weights) lie in pieces of PIECE values, the rows of a piece LD apart: a constant,
 * so that all are addressed from one register, and no multiple of a page. Behind each piece of a row there is room for a strip.
 */
enum { STRIP = VB_ATTENTION_STRIP, PIECE = 256, LD = PIECE + STRIP };
static_assert((int)STRIP == (int)LANES, "a strip is sixteen lanes");

LANES_FUNCTION int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
LANES_FUNCTION int64_t strips_of(int64_t count) { return (count + STRIP - 1) / STRIP; }
LANES_FUNCTION float *value_of(float *block, int row, int64_t k) { return block + (k / PIECE * ROWS + row) * LD + k % PIECE; }

/* ---- packing ---- */

/* Sixteen columns of up to sixteen rows, `columns` of them there, to a column a strip. */
#if VB_LANES == 512
LANES_FUNCTION void pack_square(const float *const row[STRIP], int rows, int columns, float *out) {
    const __mmask16 part = columns < STRIP ? lanes_mask(columns) : 0xffff;
    __m512i x[STRIP];
    _Pragma("GCC unroll 16") for (int i = 0; i < STRIP; i++) x[i] =
        i < rows ? _mm512_maskz_loadu_epi32(part, row[i]) : _mm512_setzero_si512();
    vb_transpose_avx512(x);
    _Pragma("GCC unroll 16") for (int i = 0; i < STRIP; i++) if (i < columns) _mm512_storeu_si512(out + i * STRIP, x[i]);
}
#elif VB_LANES == 256
LANES_FUNCTION void pack_square(const float *const row[STRIP], int rows, int columns, float *out) {
    for (int side = 0; side < STRIP; side += 8)
        for (int first = 0; first < columns; first += 8) {
            __m256 x[8];
            for (int i = 0; i < 8; i++) {
                if (side + i >= rows) x[i] = _mm256_setzero_ps();
                else if (columns - first >= 8) x[i] = _mm256_loadu_ps(row[side + i] + first);
                else x[i] = lanes_load_part(row[side + i] + first, columns - first).a;
            }
            vb_transpose_avx2(x);
            for (int i = 0; i < 8; i++)
                if (first + i < columns) _mm256_storeu_ps(out + (first + i) * STRIP + side, x[i]);
        }
}
#else
LANES_FUNCTION void pack_square(const float *const row[STRIP], int rows, int columns, float *out) {
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < STRIP; i++) out[j * STRIP + i] = i < rows ? row[i][j] : 0;
}
#endif

/* Keys to strips of sixteen, each a row of sixteen keys for each of its columns. */
static void pack_keys(const vb_attention_head *head, float *out) {
    const int d = head->head_dim;
    for (int64_t first = 0; first < head->keys; first += STRIP, out += (size_t)d * STRIP) {
        const int rows = (int)at_most(STRIP, head->keys - first);
        const float *row[STRIP] = {0};
        for (int i = 0; i < rows; i++) row[i] = head->key + (head->rows ? head->rows[first + i] : first + i) * head->ld_key;
        for (int j = 0; j < d; j += STRIP) {
            pack_square(row, rows, (int)at_most(STRIP, d - j), out + j * STRIP);
            for (int i = 0; i < rows; i++) row[i] += STRIP;
        }
    }
}

/* Values to strips of sixteen columns, each a row of them for each value. */
static void pack_values(const vb_attention_head *head, float *out) {
    const int d = head->head_dim, whole = d / STRIP * STRIP;
    for (int64_t k = 0; k < head->keys; k++, out += STRIP) {
        const float *row = head->value + (head->rows ? head->rows[k] : k) * head->ld_value;
        float *to = out;
        for (int j = 0; j < whole; j += STRIP, to += head->keys * STRIP) lanes_store(to, lanes_load(row + j));
        if (whole < d) lanes_store(to, lanes_load_part(row + whole, d - whole));
    }
}

static void copy_queries(const vb_attention_head *head, int64_t first, int rows, float *block) {
    for (int i = 0; i < rows; i++)
        for (int64_t j = 0; j < head->head_dim; j += STRIP) {
            const float *from = head->query + (first + i) * head->ld_query + j;
            if (head->head_dim - j >= STRIP) lanes_store(value_of(block, i, j), lanes_load(from));
            else lanes_store(value_of(block, i, j), lanes_load_part(from, (int)(head->head_dim - j)));
        }
}

/* ---- products ---- */

/* What a tile multiplies: `count` values of each row of a block by as many rows of one strip, or two. Staggered, row i goes on
 * for i more of both. */
typedef struct product {
    float *block;
    int64_t count;
    const float *strip, *next; /* next: the second strip */
    float *out;                /* row i at out + i * ld */
    int64_t ld;
    int columns; /* of the last strip, which are stored */
} product;

LANES_FUNCTION void store_columns(float *to, lanes x, int columns) {
    if (columns < STRIP) lanes_store_part(to, x, columns);
    else lanes_store(to, x);
}

/* Named accumulators, not an array: the compiler keeps them in registers. m, two and staggered are constants wherever this is
 * expanded. */
LANES_FUNCTION void multiply_rows(const int m, const bool two, const bool staggered, const product *p) {
#define BEGIN(i) lanes x##i = lanes_all(0.0f), y##i = x##i;
    EACH_ROW(BEGIN)
#undef BEGIN
#define MULTIPLY(i)                                                                                                              \
    if (i >= from && i < m) {                                                                                                    \
        const lanes ai = lanes_all(a[i * LD]);                                                                                   \
        x##i = lanes_fma(ai, bx, x##i);                                                                                          \
        if (two) y##i = lanes_fma(ai, by, y##i);                                                                                 \
    }
    const float *b = p->strip, *c = p->next;
    for (int64_t k = 0; k < p->count; k += PIECE) {
        enum { from = 0 };
        const float *a = value_of(p->block, 0, k);
        for (const float *end = a + at_most(PIECE, p->count - k); a != end; a++, b += STRIP, c += STRIP) {
            const lanes bx = lanes_load(b), by = two ? lanes_load(c) : bx;
            EACH_ROW(MULTIPLY)
        }
    }
#define STEP(n)                                                                                                                  \
    if (staggered && n + 1 < m) {                                                                                                \
        enum { from = n + 1 };                                                                                                   \
        const float *a = value_of(p->block, 0, p->count + n);                                                                    \
        const lanes bx = lanes_load(b + n * STRIP), by = two ? lanes_load(c + n * STRIP) : bx;                                   \
        EACH_ROW(MULTIPLY)                                                                                                       \
    }
    EACH_STEP(STEP)
#undef STEP
#undef MULTIPLY
#define END(i)                                                                                                                   \
    if (i < m) {                                                                                                                 \
        float *to = p->out + i * p->ld;                                                                                          \
        if (two) lanes_store(to, x##i), store_columns(to + STRIP, y##i, p->columns);                                             \
        else store_columns(to, x##i, p->columns);                                                                                \
    }
    EACH_ROW(END)
#undef END
}

#define HEIGHT_ONE(i)                                                                                                            \
    case i + 1:                                                                                                                  \
        multiply_rows(i + 1, false, false, p);                                                                                   \
        break;
#define HEIGHT_TWO(i)                                                                                                            \
    case i + 1:                                                                                                                  \
        multiply_rows(i + 1, true, false, p);                                                                                    \
        break;
#define HEIGHT_ONE_STAGGERED(i)                                                                                                  \
    case i + 1:                                                                                                                  \
        multiply_rows(i + 1, false, true, p);                                                                                    \
        break;
#define HEIGHT_TWO_STAGGERED(i)                                                                                                  \
    case i + 1:                                                                                                                  \
        multiply_rows(i + 1, true, true, p);                                                                                     \
        break;
#define BY_HEIGHT(name, HEIGHT)                                                                                                  \
    static void name(int m, const product *p) {                                                                                  \
        switch (m) {                                                                                                             \
            EACH_ROW(HEIGHT)                                                                                                     \
        default: break;                                                                                                          \
        }                                                                                                                        \
    }
BY_HEIGHT(multiply_one, HEIGHT_ONE)
BY_HEIGHT(add_one, HEIGHT_ONE_STAGGERED)
#if VB_LANES == 512
BY_HEIGHT(multiply_two, HEIGHT_TWO)
BY_HEIGHT(add_two, HEIGHT_TWO_STAGGERED)
#else
static void multiply_two(int m, const product *p) { (void)m, (void)p; } /* ACROSS is 1 */
static void add_two(int m, const product *p) { (void)m, (void)p; }
#endif

/* Scores of m queries with the first `keys` keys, in whole strips. */
static void score(const vb_attention_head *head, int m, float *queries, const float *packed, int64_t keys, float *scores) {
    const int64_t strip = (int64_t)head->head_dim * STRIP, strips = strips_of(keys);
    for (int64_t s = 0, across; s < strips; s += across) {
        across = strips - s >= ACROSS ? ACROSS : 1;
        const product p = {.block = queries,
                           .count = head->head_dim,
                           .strip = packed + s * strip,
                           .next = packed + (s + across - 1) * strip,
                           .out = value_of(scores, 0, s * STRIP),
                           .ld = LD,
                           .columns = STRIP};
        (across == 2 ? multiply_two : multiply_one)(m, &p);
    }
}

/* The values' sums: of the first `keys` for the first of m queries, and for each of the others as many, or staggered one more. */
static void sum_values(const vb_attention_head *head, int m, float *weights, const float *packed, int64_t keys, bool staggered,
                       float *out) {
    const int64_t strip = head->keys * STRIP, strips = strips_of(head->head_dim);
    for (int64_t s = 0, across; s < strips; s += across) {
        across = strips - s >= ACROSS ? ACROSS : 1;
        const product p = {.block = weights,
                           .count = keys,
                           .strip = packed + s * strip,
                           .next = packed + (s + across - 1) * strip,
                           .out = out + s * STRIP,
                           .ld = head->ld_out,
                           .columns = (int)at_most(STRIP, head->head_dim - (s + across - 1) * STRIP)};
        if (staggered) (across == 2 ? add_two : add_one)(m, &p);
        else (across == 2 ? multiply_two : multiply_one)(m, &p);
    }
}

/* ---- softmax ---- */

/* What a block's rows have in common, and how many keys each sees: the first `least`, the others as many, or each one more. */
typedef struct softmax {
    float *scores;
    int rows;
    int64_t least;
    bool staggered;
    const uint8_t *hidden;
    float scale;
} softmax;

LANES_FUNCTION int64_t width_of(const softmax *s, int row) { return s->least + (s->staggered ? row : 0); }

/* Minus infinity, whose weight is 0, for hidden keys and for what stands behind the keys in a row's last strip. */
static void hide(const softmax *s, int row) {
    const int64_t width = width_of(s, row);
    if (width % STRIP) lanes_store(value_of(s->scores, row, width), lanes_all(-INFINITY));
    if (s->hidden)
        for (int64_t k = 0; k < width; k++)
            if (s->hidden[k]) *value_of(s->scores, row, k) = -INFINITY;
}

/* x: the strips of a row, one after the other. */
#define EACH_STRIP(s, row)                                                                                                       \
    for (int64_t k = 0, width = width_of(s, row); k < width; k += PIECE)                                                         \
        for (float *x = value_of((s)->scores, row, k), *end = x + at_most(PIECE, width - k); x < end; x += STRIP)

/* Scores to weights, in the bits of vb_layers_softmax. Each step is done for all rows before the next one begins: the steps of a
 * row wait for each other, those of different rows do not. */
static void weigh(const softmax *s) {
    const lanes factor = lanes_all(s->scale);
    float shifts[ROWS], sums[ROWS];
    for (int row = 0; row < s->rows; row++) {
        hide(s, row);
        lanes most = lanes_all(-INFINITY);
        EACH_STRIP(s, row) most = lanes_max(lanes_mul(lanes_load(x), factor), most);
        shifts[row] = lanes_largest(most);
    }
    for (int row = 0; row < s->rows; row++) {
        lanes sum = lanes_all(0.0f);
        EACH_STRIP(s, row) {
            const lanes e = lanes_exp(lanes_sub(lanes_mul(lanes_load(x), factor), lanes_all(shifts[row])));
            lanes_store(x, e);
            sum = lanes_add(sum, e);
        }
        sums[row] = 1 / lanes_sum(sum);
    }
    for (int row = 0; row < s->rows; row++) EACH_STRIP(s, row) lanes_store(x, lanes_mul(lanes_load(x), lanes_all(sums[row])));
}

/* ---- the head ---- */

/* Rows of the head that comes next, 64 bytes a time: they lie far apart, and nothing else would fetch them in advance. */
static void touch_next(const vb_attention_head *head) {
    const int d = head->head_dim;
    for (int64_t k = 0; k < head->keys; k++) {
        const int64_t row = head->rows ? head->rows[k] : k;
        for (int j = 0; j < d; j += STRIP) {
            __builtin_prefetch(head->key + row * head->ld_key + j, 0, 2);
            __builtin_prefetch(head->value + row * head->ld_value + j, 0, 2);
        }
    }
    for (int64_t i = 0; i < head->queries; i++)
        for (int j = 0; j < d; j += STRIP) __builtin_prefetch(head->query + i * head->ld_query + j, 0, 2);
}

/* Lines that a block's results go to, and the queries of the next block. */
static void touch_block(const vb_attention_head *head, int64_t first, int rows) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < head->head_dim; j += STRIP) {
            __builtin_prefetch(head->out + (first + i) * head->ld_out + j, 1);
            if (first + rows + i < head->queries) __builtin_prefetch(head->query + (first + rows + i) * head->ld_query + j);
        }
}

static size_t block_floats(int64_t values) { return (size_t)((values + PIECE - 1) / PIECE * ROWS * LD); }

static size_t attention_floats(int64_t keys, int head_dim) {
    return (size_t)(strips_of(keys) * STRIP * head_dim) + (size_t)(strips_of(head_dim) * STRIP * keys) + block_floats(head_dim) +
           block_floats(keys);
}

static void attention_run(const vb_attention_head *head, const vb_attention_head *next, float *work) {
    const int64_t keys = head->keys, d = head->head_dim;
    float *k = work, *v = k + strips_of(keys) * STRIP * d, *queries = v + strips_of(d) * STRIP * keys,
          *scores = queries + block_floats(d);
    pack_keys(head, k);
    pack_values(head, v);
    if (next) touch_next(next);
    /* Queries that see no key. */
    int64_t first = head->causal && head->queries > keys ? head->queries - keys : 0;
    for (int64_t i = 0; i < first; i++) memset(head->out + i * head->ld_out, 0, (size_t)d * sizeof(float));
    const int64_t left = head->queries - first, blocks = (left + ROWS - 1) / ROWS;
    for (int64_t block = 0, i = first, m; block < blocks; block++, i += m) {
        m = first + (block + 1) * left / blocks - i;
        /* Seen by the first of the block, and by the last. */
        const int64_t least = head->causal ? keys - (head->queries - 1 - i) : keys, most = head->causal ? least + m - 1 : keys;
        copy_queries(head, i, (int)m, queries);
        touch_block(head, i, (int)m);
        score(head, (int)m, queries, k, most, scores);
        weigh(&(softmax){scores, (int)m, least, head->causal, head->hidden, head->scale});
        sum_values(head, (int)m, scores, v, least, head->causal, head->out + i * head->ld_out);
    }
}

const vb_attention_kernel VB_ATTENTION_KERNEL = {.floats = attention_floats, .run = attention_run};

#endif
