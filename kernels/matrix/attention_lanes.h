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

/* ROWS x ACROSS accumulators of sixteen lanes, ACROSS of the packed operand, and one of the other. CHUNK: see `ahead` below;
 * BESIDE: rows whose exponentials are computed side by side. */
#if VB_LANES == 512
#include "kernels/matrix/transpose_avx512.h"
enum { ROWS = 14, ACROSS = 2, CHUNK = 32, BESIDE = 4 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13)
#define EACH_STEP(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12)
#elif VB_LANES == 256
#include "kernels/matrix/transpose_avx2.h"
enum { ROWS = 6, ACROSS = 1, CHUNK = 64, BESIDE = 3 };
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define EACH_STEP(DO) DO(0) DO(1) DO(2) DO(3) DO(4)
#else
enum { ROWS = 4, ACROSS = 1, CHUNK = 64, BESIDE = 1 };
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
LANES_FUNCTION void pack_quarter(const float *const row[8], int rows, int first, int columns, float *out) {
    __m256 x[8];
    if (columns >= 8) { /* in registers throughout */
        if (rows >= 8) _Pragma("GCC unroll 8") for (int i = 0; i < 8; i++) x[i] = _mm256_loadu_ps(row[i] + first);
        else
            _Pragma("GCC unroll 8") for (int i = 0; i < 8; i++) x[i] =
                i < rows ? _mm256_loadu_ps(row[i] + first) : _mm256_setzero_ps();
        vb_transpose_avx2(x);
        _Pragma("GCC unroll 8") for (int i = 0; i < 8; i++) _mm256_storeu_ps(out + i * STRIP, x[i]);
        return;
    }
    for (int i = 0; i < 8; i++)
        x[i] = i < rows ? lanes_load_part(row[i] + first, columns < 8 ? columns : 8).a : _mm256_setzero_ps();
    vb_transpose_avx2(x);
    for (int i = 0; i < 8 && i < columns; i++) _mm256_storeu_ps(out + i * STRIP, x[i]);
}
LANES_FUNCTION void pack_square(const float *const row[STRIP], int rows, int columns, float *out) {
    for (int side = 0; side < STRIP; side += 8)
        for (int first = 0; first < columns; first += 8)
            pack_quarter(row + side, rows - side, first, columns - first, out + first * STRIP + side);
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

/* ---- what comes next ---- */

/* Rows of the head that is probably computed next, and of its results, on their way to the second-level cache: they lie far
 * apart, and nothing else would fetch them in advance. A few of them with every CHUNK values that a product goes through: when
 * many more are asked for at once than the processor can wait for, some 24 lines, what is computed waits as well. */
enum { MATRICES = 4 };
typedef struct ahead {
    const vb_attention_head *head; /* NULL: nothing comes */
    int matrix;                    /* keys, values, queries, results: the one after that at hand */
    const float *from;             /* of that at hand: */
    const int64_t *rows;
    int64_t ld, row, count;
    int64_t each; /* rows at a time */
} ahead;

LANES_FUNCTION void fetch_row(ahead *next) {
    const float *row = next->from + (next->rows ? next->rows[next->row] : next->row) * next->ld;
    for (int j = 0; j < next->head->head_dim; j += STRIP) __builtin_prefetch(row + j, 0, 2);
    next->row++;
}

LANES_FUNCTION void fetch_some(ahead *next) {
    for (int64_t n = next->each; n && next->row < next->count; n--) fetch_row(next);
}

/* Between products, as what is in registers would have to make room: to the next matrix if one is done with. */
static void go_on(ahead *next) {
    const vb_attention_head *head = next->head;
    if (!head || next->row < next->count || next->matrix == MATRICES) return;
    const float *const from[MATRICES] = {head->key, head->value, head->query, head->out};
    const int64_t ld[MATRICES] = {head->ld_key, head->ld_value, head->ld_query, head->ld_out};
    const int m = next->matrix++;
    next->from = from[m], next->ld = ld[m], next->row = 0;
    next->rows = m < 2 ? head->rows : NULL;
    next->count = m < 2 ? head->keys : head->queries;
}

/* blocks: of this head, whose products bring the next one's rows. */
static ahead begin_ahead(const vb_attention_head *next, const vb_attention_head *head, int64_t blocks) {
    if (!next || !blocks) return (ahead){0};
    const int64_t of_scores = (strips_of(head->keys) + ACROSS - 1) / ACROSS * ((head->head_dim + CHUNK - 1) / CHUNK),
                  of_values = (strips_of(head->head_dim) + ACROSS - 1) / ACROSS * ((head->keys + CHUNK - 1) / CHUNK),
                  chunks = blocks * (of_scores + of_values) / (head->causal ? 2 : 1), rows = 2 * (next->keys + next->queries);
    return (ahead){.head = next, .each = chunks ? rows / chunks + 1 : 0};
}

static void end_ahead(ahead *next) {
    for (; next->head && (next->row < next->count || next->matrix < MATRICES); go_on(next))
        while (next->row < next->count) fetch_row(next);
}

/* ---- products ---- */

/* What tiles multiply: `count` values of each row of a block by as many rows of a strip, or of two side by side, strip after
 * strip. Staggered, row i goes on for i more of both. */
typedef struct product {
    float *block;
    int64_t count;
    const float *packed;
    int64_t strip, first, stop; /* floats of a strip; the strips to multiply by */
    float *out;                 /* row i of the first strip of piece p at out + p * piece + i * ld */
    int64_t ld, piece;
    int columns; /* of the last strip, which are stored */
    ahead *next_head;
} product;

LANES_FUNCTION void store_columns(float *to, lanes x, int columns) {
    if (columns < STRIP) lanes_store_part(to, x, columns);
    else lanes_store(to, x);
}

/* The low half is all that is wanted where it is a register of its own. */
#if VB_LANES == 256
LANES_FUNCTION lanes lanes_fma_low(lanes x, lanes y, lanes z) { return (lanes){_mm256_fmadd_ps(x.a, y.a, z.a), z.b}; }
#else
LANES_FUNCTION lanes lanes_fma_low(lanes x, lanes y, lanes z) { return lanes_fma(x, y, z); }
#endif

typedef enum tile { ONE, TWO, LOW /* eight columns at least of one strip */ } tile;

/* Named accumulators, not an array: the compiler keeps them in registers. m, wide and staggered are constants wherever this is
 * expanded. */
LANES_FUNCTION void multiply_rows(const int m, const tile wide, const bool staggered, const product *p) {
    const bool two = wide == TWO;
    for (int64_t strip = p->first; strip < p->stop; strip += two ? 2 : 1) {
        go_on(p->next_head);
#define BEGIN(i) lanes x##i = lanes_all(0.0f), y##i = x##i;
        EACH_ROW(BEGIN)
#undef BEGIN
#define MULTIPLY(i)                                                                                                              \
    if (i >= from && i < m) {                                                                                                    \
        const lanes ai = lanes_all(a[i * LD]);                                                                                   \
        x##i = wide == LOW ? lanes_fma_low(ai, bx, x##i) : lanes_fma(ai, bx, x##i);                                              \
        if (two) y##i = lanes_fma(ai, by, y##i);                                                                                 \
    }
        const float *b = p->packed + strip * p->strip, *c = two ? b + p->strip : b;
        for (int64_t k = 0; k < p->count; k += PIECE) {
            enum { from = 0 };
            const float *a = value_of(p->block, 0, k);
            for (const float *stop = a + at_most(PIECE, p->count - k); a != stop;) {
                fetch_some(p->next_head);
                for (const float *end = a + at_most(CHUNK, stop - a); a != end; a++, b += STRIP, c += STRIP) {
                    const lanes bx = lanes_load(b), by = two ? lanes_load(c) : bx;
                    EACH_ROW(MULTIPLY)
                }
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
        float *const out = p->out + strip * STRIP / PIECE * p->piece + strip * STRIP % PIECE;
        const int columns = strip + (two ? 2 : 1) == p->stop ? p->columns : STRIP;
#define END(i)                                                                                                                   \
    if (i < m) {                                                                                                                 \
        float *to = out + i * p->ld;                                                                                             \
        if (two) lanes_store(to, x##i), store_columns(to + STRIP, y##i, columns);                                                \
        else store_columns(to, x##i, columns);                                                                                   \
    }
        EACH_ROW(END)
#undef END
    }
}

#define HEIGHT(i)                                                                                                                \
    case i + 1:                                                                                                                  \
        multiply_rows(i + 1, WIDE, STAGGERED, p);                                                                                \
        break;
#define BY_HEIGHT(name)                                                                                                          \
    static void name(int m, const product *p) {                                                                                  \
        switch (m) {                                                                                                             \
            EACH_ROW(HEIGHT)                                                                                                     \
        default: break;                                                                                                          \
        }                                                                                                                        \
    }
#define STAGGERED false
#define WIDE ONE
BY_HEIGHT(multiply_one)
#undef WIDE
#if VB_LANES == 256
#define WIDE LOW
BY_HEIGHT(multiply_low)
#undef WIDE
#elif VB_LANES == 512
#define WIDE TWO
BY_HEIGHT(multiply_two)
#undef WIDE
#endif
#undef STAGGERED
#define STAGGERED true
#define WIDE ONE
BY_HEIGHT(add_one)
#undef WIDE
#if VB_LANES == 512
#define WIDE TWO
BY_HEIGHT(add_two)
#undef WIDE
#else
static void multiply_two(int m, const product *p) { (void)m, (void)p; } /* ACROSS is 1 */
static void add_two(int m, const product *p) { (void)m, (void)p; }
#endif
#if VB_LANES != 256
static void multiply_low(int m, const product *p) { (void)m, (void)p; } /* no half is a register of its own */
#endif
#undef STAGGERED

/* Strip after strip, as many at once as there are registers for; low: the last one has no more than its low half. */
static void multiply(int m, bool staggered, bool low, int64_t strips, product p) {
    const int64_t pairs = ACROSS == 2 ? strips / 2 * 2 : 0, whole = strips - low;
    const int columns = p.columns;
    if (pairs) {
        p.first = 0, p.stop = pairs, p.columns = pairs < strips ? STRIP : columns;
        (staggered ? add_two : multiply_two)(m, &p);
    }
    if (pairs < whole) {
        p.first = pairs, p.stop = whole, p.columns = low ? STRIP : columns;
        (staggered ? add_one : multiply_one)(m, &p);
    }
    if (low) {
        p.first = whole, p.stop = strips, p.columns = columns;
        multiply_low(m, &p);
    }
}
/* Scores of m queries with the first `keys` keys, in whole strips; of a strip's high half, where no key is, any numbers. */
static void score(const vb_attention_head *head, int m, float *queries, const float *packed, int64_t keys, float *scores,
                  ahead *next_head) {
    const bool low = VB_LANES == 256 && keys % STRIP > 0 && keys % STRIP <= STRIP / 2;
    multiply(m, false, low, strips_of(keys),
             (product){.block = queries,
                       .count = head->head_dim,
                       .packed = packed,
                       .strip = (int64_t)head->head_dim * STRIP,
                       .out = scores,
                       .ld = LD,
                       .piece = ROWS * LD,
                       .columns = STRIP,
                       .next_head = next_head});
}

/* The values' sums: of the first `keys` for the first of m queries, and for each of the others as many, or staggered one more. */
static void sum_values(const vb_attention_head *head, int m, float *weights, const float *packed, int64_t keys, bool staggered,
                       float *out, ahead *next_head) {
    const int64_t strips = strips_of(head->head_dim);
    multiply(m, staggered, false, strips,
             (product){.block = weights,
                       .count = keys,
                       .packed = packed,
                       .strip = head->keys * STRIP,
                       .out = out,
                       .ld = head->ld_out,
                       .piece = PIECE,
                       .columns = (int)(head->head_dim - (strips - 1) * STRIP),
                       .next_head = next_head});
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

/* Minus infinity, whose weight is 0, for hidden keys and for what stands behind the keys in a row's last strip. The latter in
 * registers: a narrower store would hold up the loads behind it. */
static void hide(const softmax *s, int row) {
    static const float places[STRIP] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int64_t width = width_of(s, row), rest = width % STRIP;
    float *last = value_of(s->scores, row, width - rest);
    if (rest)
        lanes_store(last, lanes_if_less(lanes_load(places), lanes_all((float)rest), lanes_load(last), lanes_all(-INFINITY)));
    if (s->hidden)
        for (int64_t k = 0; k < width; k++)
            if (s->hidden[k]) *value_of(s->scores, row, k) = -INFINITY;
}

/* x: the strips of a row, one after the other. */
#define EACH_STRIP(s, row)                                                                                                       \
    for (int64_t k = 0, width = width_of(s, row); k < width; k += PIECE)                                                         \
        for (float *x = value_of((s)->scores, row, k), *end = x + at_most(PIECE, width - k); x < end; x += STRIP)

#define EACH(v) _Pragma("GCC unroll 4") for (int v = 0; v < some; v++)

/* Of `some` rows from `row` on, which have as many strips each, and what their weights are to be multiplied with. */
LANES_FUNCTION void exponentials(const softmax *s, int row, const int some, const float *shifts, float *factors) {
    const lanes factor = lanes_all(s->scale);
    lanes sums[4], shift[4];
    EACH(v) sums[v] = lanes_all(0.0f), shift[v] = lanes_all(shifts[v]);
    EACH_STRIP(s, row) {
        lanes e[4];
        EACH(v) e[v] = lanes_sub(lanes_mul(lanes_load(x + v * LD), factor), shift[v]);
        lanes_exp_down(e, some);
        EACH(v) lanes_store(x + v * LD, e[v]), sums[v] = lanes_add(sums[v], e[v]);
    }
    EACH(v) factors[v] = 1 / lanes_sum(sums[v]);
}
#undef EACH

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
    for (int row = 0, some; row < s->rows; row += some) {
        some = (int)at_most(BESIDE, s->rows - row);
        while (some > 1 && strips_of(width_of(s, row)) != strips_of(width_of(s, row + some - 1))) some--;
        if (some == 4) exponentials(s, row, 4, shifts + row, sums + row);
        else if (some == 3) exponentials(s, row, 3, shifts + row, sums + row);
        else if (some == 2) exponentials(s, row, 2, shifts + row, sums + row);
        else exponentials(s, row, 1, shifts + row, sums + row);
    }
    for (int row = 0; row < s->rows; row++) EACH_STRIP(s, row) lanes_store(x, lanes_mul(lanes_load(x), lanes_all(sums[row])));
}

/* ---- the head ---- */

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
    /* Queries that see no key. */
    int64_t first = head->causal && head->queries > keys ? head->queries - keys : 0;
    for (int64_t i = 0; i < first; i++) memset(head->out + i * head->ld_out, 0, (size_t)d * sizeof(float));
    const int64_t left = head->queries - first, blocks = (left + ROWS - 1) / ROWS;
    ahead next_head = begin_ahead(next, head, blocks);
    for (int64_t block = 0, i = first, m; block < blocks; block++, i += m) {
        m = first + (block + 1) * left / blocks - i;
        /* Seen by the first of the block, and by the last. */
        const int64_t least = head->causal ? keys - (head->queries - 1 - i) : keys, most = head->causal ? least + m - 1 : keys;
        copy_queries(head, i, (int)m, queries);
        score(head, (int)m, queries, k, most, scores, &next_head);
        weigh(&(softmax){scores, (int)m, least, head->causal, head->hidden, head->scale});
        sum_values(head, (int)m, scores, v, least, head->causal, head->out + i * head->ld_out, &next_head);
    }
    end_ahead(&next_head);
}

/* As attention_run's, for as many keys as queries. */
static void attention_softmax(const vb_attention_head *head, float *work) {
    const int64_t keys = head->keys, blocks = (keys + ROWS - 1) / ROWS;
    for (int64_t block = 0, i = 0, m; block < blocks; block++, i += m) {
        m = (block + 1) * keys / blocks - i;
        weigh(&(softmax){work, (int)m, head->causal ? i + 1 : keys, head->causal, head->hidden, head->scale});
    }
}

const vb_attention_kernel VB_ATTENTION_KERNEL = {.floats = attention_floats, .run = attention_run, .softmax = attention_softmax};

#endif
