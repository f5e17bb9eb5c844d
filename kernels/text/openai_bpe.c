/* Words found by PCRE2, their bytes merged by rank. */
#include "kernels/text/openai_bpe.h"

#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/text/pair_heap.h"
#include "kernels/text/pattern.h"

#define NONE UINT32_MAX

/* OpenAI's pattern. The clean-up leaves no white space but U+0020, so a space stands for \s, whose meaning differs between
 * engines. U+0345 is no letter, but one of the cases of Greek iota: Python's regex, ignoring case, lets neither class have it,
 * and so drops it. */
static const char pattern[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|"
                              "[\\p{L}]+|[\\p{N}]|[^ \\p{L}\\p{N}\\x{345}]+";

struct vb_openai_bpe {
    const vb_bpe_tables *tables;
    pcre2_general_context *memory;
    pcre2_code *code;
};

int vb_openai_bpe_open(vb_openai_bpe **bpe, const vb_bpe_tables *tables, vb_error *err) {
    *bpe = NULL;
    vb_openai_bpe *t = vb_array(1, sizeof *t, "tokenizer", err);
    if (!t) return -1;
    t->tables = tables;
    t->memory = vb_pattern_memory(err);
    t->code = t->memory ? vb_pattern_compile(t->memory, pattern, sizeof pattern - 1, PCRE2_CASELESS, err) : NULL;
    if (!t->code) {
        vb_openai_bpe_close(t);
        return -1;
    }
    *bpe = t;
    return 0;
}

void vb_openai_bpe_close(vb_openai_bpe *t) {
    if (!t) return;
    pcre2_code_free(t->code);
    pcre2_general_context_free(t->memory);
    vb_free(t);
}

typedef struct piece {
    uint32_t symbol, rank;
} piece; /* rank of the merge with the next piece, NONE when there is none */

static const vb_bpe_merge *find_merge(const vb_openai_bpe *t, uint32_t left, uint32_t right) {
    const vb_bpe_merge *merges = vb_tokenizer_tables_merges(t->tables);
    return &merges[vb_bpe_merge_slot(merges, t->tables->merge_slots, left, right)];
}

static uint32_t pair_rank(const vb_openai_bpe *t, const piece *pieces, size_t i, size_t n) {
    if (i + 1 >= n) return NONE;
    const vb_bpe_merge *m = find_merge(t, pieces[i].symbol, pieces[i + 1].symbol);
    return m->left == VB_NO_SYMBOL ? NONE : m->rank;
}

/* Merges a word's bytes: always the pair of lowest rank, wherever it occurs, from left to right. Returns the number of pieces. */
static size_t merge_word(const vb_openai_bpe *t, const uint8_t *word, size_t n, piece *pieces) {
    for (size_t i = 0; i < n; i++) pieces[i].symbol = (i + 1 < n ? t->tables->inside : t->tables->last)[word[i]];
    for (size_t i = 0; i < n; i++) pieces[i].rank = pair_rank(t, pieces, i, n);
    for (;;) {
        uint32_t best = NONE;
        size_t first = 0;
        for (size_t i = 0; i < n; i++)
            if (pieces[i].rank < best) best = pieces[first = i].rank;
        if (best == NONE) return n;
        uint32_t product = find_merge(t, pieces[first].symbol, pieces[first + 1].symbol)->product;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            if (pieces[i].rank == best) pieces[kept++].symbol = product, i++;
            else pieces[kept++] = pieces[i];
        }
        n = kept;
        for (size_t i = 0; i < n; i++)
            if (pieces[i].symbol == product || (i + 1 < n && pieces[i + 1].symbol == product))
                pieces[i].rank = pair_rank(t, pieces, i, n);
    }
}

/* ---- long words: the same merges from a heap, in n log n steps ---- */

enum { LONG_WORD = 256, NOWHERE = -1 }; /* bytes; shorter words are faster without */

typedef struct letter {
    uint32_t symbol;
    int32_t before, after;
    bool merged; /* into the one before it */
} letter;

typedef struct long_word {
    const vb_openai_bpe *bpe;
    letter *letters;
    vb_pair_heap pairs; /* of each the symbols as they were when it was found */
    int32_t *changed;   /* letters that a pass has merged */
} long_word;

static int consider(long_word *w, int32_t left, vb_error *err) {
    const int32_t right = left == NOWHERE ? NOWHERE : w->letters[left].after;
    if (right == NOWHERE) return 0;
    const uint32_t a = w->letters[left].symbol, b = w->letters[right].symbol;
    const vb_bpe_merge *merge = find_merge(w->bpe, a, b);
    if (merge->left == VB_NO_SYMBOL) return 0;
    return vb_pair_heap_push(&w->pairs, (vb_pair_heap_entry){-(double)merge->rank, left, right, a, b}, err);
}

/* All pairs of the lowest rank from left to right, as they were before the pass; then what they have become is looked at. */
static int merge_pass(long_word *w, vb_error *err) {
    size_t merged = 0;
    const double priority = w->pairs.items[0].priority;
    while (w->pairs.count && !(w->pairs.items[0].priority < priority)) {
        const vb_pair_heap_entry pair = vb_pair_heap_pop(&w->pairs);
        letter *left = &w->letters[pair.left], *right = &w->letters[pair.right];
        if (left->merged || right->merged || left->after != pair.right || left->symbol != pair.a || right->symbol != pair.b)
            continue;
        left->symbol = find_merge(w->bpe, left->symbol, right->symbol)->product;
        left->after = right->after;
        right->merged = true;
        if (left->after != NOWHERE) w->letters[left->after].before = pair.left;
        w->changed[merged++] = pair.left;
    }
    for (size_t i = 0; i < merged; i++)
        if (consider(w, w->letters[w->changed[i]].before, err) || consider(w, w->changed[i], err)) return -1;
    return 0;
}

/* As merge_word; 0 after a failure, with *err. */
static size_t merge_long_word(const vb_openai_bpe *t, const uint8_t *word, size_t n, piece *pieces, vb_error *err) {
    if (n >= INT32_MAX) {
        vb_errorf(err, VB_EUNSUPPORTED, "a word of %zu bytes, expected less than 2 GiB", n);
        return 0;
    }
    long_word w = {.bpe = t,
                   .letters = vb_buffer(n, sizeof *w.letters, "word", err),
                   .changed = vb_buffer(n, sizeof *w.changed, "word", err)};
    int status = w.letters && w.changed ? 0 : -1;
    size_t kept = 0;
    for (size_t i = 0; i < n && !status; i++)
        w.letters[i] = (letter){(i + 1 < n ? t->tables->inside : t->tables->last)[word[i]], (int32_t)i - 1,
                                i + 1 < n ? (int32_t)i + 1 : NOWHERE, false};
    for (size_t i = 0; i < n && !status; i++) status = consider(&w, (int32_t)i, err);
    while (!status && w.pairs.count) status = merge_pass(&w, err);
    for (int32_t i = 0; !status && i != NOWHERE; i = w.letters[i].after) pieces[kept++].symbol = w.letters[i].symbol;
    vb_free(w.letters);
    vb_free(w.pairs.items);
    vb_free(w.changed);
    return kept;
}

static bool is_text(const uint8_t *word, size_t n, const char *text) { return n == strlen(text) && !memcmp(word, text, n); }

int vb_openai_bpe_cut(const vb_openai_bpe *t, const char *clean, size_t n, int room, int32_t *ids, vb_error *err) {
    const uint8_t *text = (const uint8_t *)clean;
    int count = -1;
    pcre2_match_data *match = pcre2_match_data_create(1, t->memory);
    piece *pieces = vb_array(n, sizeof *pieces, "word", err);
    if (!match) vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for a match");
    if (!match || !pieces) goto done;
    count = 0;
    for (size_t at = 0; at < n && count < room;) {
        int found = pcre2_match(t->code, text, n, at, PCRE2_NO_UTF_CHECK, match, NULL);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0) {
            count = vb_errorf(err, found == PCRE2_ERROR_NOMEMORY ? VB_EMEMORY : VB_EINTERNAL, "tokenizer: PCRE2 error %d", found);
            goto done;
        }
        const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
        const uint8_t *word = text + range[0];
        size_t length = range[1] - range[0];
        at = range[1];
        if (is_text(word, length, VB_START_TOKEN)) ids[count++] = t->tables->start;
        else if (is_text(word, length, VB_END_TOKEN)) ids[count++] = t->tables->end;
        else {
            size_t k = length < LONG_WORD ? merge_word(t, word, length, pieces) : merge_long_word(t, word, length, pieces, err);
            if (!k) {
                count = -1;
                goto done;
            }
            for (size_t i = 0; i < k && count < room; i++) ids[count++] = vb_tokenizer_tables_ids(t->tables)[pieces[i].symbol];
        }
    }
done:
    vb_free(pieces);
    pcre2_match_data_free(match);
    return count;
}
