/* CLIP's byte-pair encoding: words found by PCRE2, their bytes merged by rank, with tables that lie in one block. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "kernels/text/tokenizer.h"

#include <pcre2.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/text/text_cleanup.h"
#include "kernels/text/tokenizer_internal.h"
#include "kernels/text/tokenizer_tables.h"

#define NONE UINT32_MAX

/* OpenAI's pattern. The clean-up leaves no white space but U+0020, so a space stands for \s, whose meaning differs between
 * engines. U+0345 is no letter, but one of the cases of Greek iota: Python's regex, ignoring case, lets neither class have it,
 * and so drops it. */
static const char pattern[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|"
                              "[\\p{L}]+|[\\p{N}]|[^ \\p{L}\\p{N}\\x{345}]+";

struct vb_tokenizer {
    const vb_bpe_tables *tables;
    vb_bpe_tables *own; /* the same, or NULL when they lie elsewhere */
    pcre2_general_context *memory;
    pcre2_code *code;
};

static void *pcre_allocate(size_t size, void *data) {
    (void)data;
    return vb_array(size, 1, "pattern", NULL);
}

static void pcre_free(void *pointer, void *data) {
    (void)data;
    vb_free(pointer);
}

static int compile_pattern(vb_tokenizer *t, vb_error *err) {
    int code;
    PCRE2_SIZE offset;
    t->memory = pcre2_general_context_create(pcre_allocate, pcre_free, NULL);
    pcre2_compile_context *context = t->memory ? pcre2_compile_context_create(t->memory) : NULL;
    if (!context) return vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for the pattern");
    t->code =
        pcre2_compile((PCRE2_SPTR)pattern, sizeof pattern - 1, PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (!t->code && code == PCRE2_ERROR_HEAP_FAILED) return vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for the pattern");
    if (!t->code)
        return vb_errorf(err, VB_EINTERNAL, "PCRE2 refuses the tokenizer's pattern at offset %zu (error %d)", (size_t)offset,
                         code);
    pcre2_jit_compile(t->code, PCRE2_JIT_COMPLETE); /* without it PCRE2 interprets: slower, the same matches */
    return 0;
}

/* Takes `own` over, also when it fails. */
static int open_with(vb_tokenizer **tokenizer, const vb_bpe_tables *tables, vb_bpe_tables *own, vb_error *err) {
    *tokenizer = NULL;
    vb_tokenizer *t = tables ? vb_array(1, sizeof *t, "tokenizer", err) : NULL;
    if (t) {
        t->tables = tables;
        t->own = own;
        if (!compile_pattern(t, err)) {
            *tokenizer = t;
            return 0;
        }
        vb_tokenizer_close(t);
    } else vb_free(own);
    return -1;
}

int vb_tokenizer_open_bpe(vb_tokenizer **tokenizer, const char *merges, size_t size, bool mask_token, const char *name,
                          vb_error *err) {
    vb_bpe_tables *own = vb_tokenizer_tables_of_merges(merges, size, mask_token, name, err);
    return open_with(tokenizer, own, own, err);
}

int vb_tokenizer_open_pairs(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges,
                            size_t size, const char *name, vb_error *err) {
    vb_bpe_tables *own = vb_tokenizer_tables_of_pairs(entries, count, merges, size, name, err);
    return open_with(tokenizer, own, own, err);
}

const void *vb_tokenizer_bytes(const vb_tokenizer *tokenizer, size_t *size) {
    *size = tokenizer->tables->bytes;
    return tokenizer->tables;
}

int vb_tokenizer_map(vb_tokenizer **tokenizer, const void *bytes, size_t size, vb_error *err) {
    *tokenizer = NULL;
    if (!vb_tokenizer_tables_are_sound(bytes, size))
        return vb_errorf(err, VB_EDATA, "these %zu bytes are no tables of a tokenizer, or of another version", size);
    return open_with(tokenizer, bytes, NULL, err);
}

int32_t vb_tokenizer_size(const vb_tokenizer *tokenizer) { return tokenizer->tables->size; }
int32_t vb_tokenizer_start(const vb_tokenizer *tokenizer) { return tokenizer->tables->start; }
int32_t vb_tokenizer_end(const vb_tokenizer *tokenizer) { return tokenizer->tables->end; }

void vb_tokenizer_close(vb_tokenizer *t) {
    if (!t) return;
    vb_free(t->own);
    pcre2_code_free(t->code);
    pcre2_general_context_free(t->memory);
    vb_free(t);
}

/* ---- encoding ---- */

typedef struct piece {
    uint32_t symbol, rank;
} piece; /* rank of the merge with the next piece, NONE when there is none */

static const vb_bpe_merge *find_merge(const vb_tokenizer *t, uint32_t left, uint32_t right) {
    const vb_bpe_merge *merges = vb_tokenizer_tables_merges(t->tables);
    return &merges[vb_tokenizer_tables_slot(merges, t->tables->merge_slots, left, right)];
}

static uint32_t pair_rank(const vb_tokenizer *t, const piece *pieces, size_t i, size_t n) {
    if (i + 1 >= n) return NONE;
    const vb_bpe_merge *m = find_merge(t, pieces[i].symbol, pieces[i + 1].symbol);
    return m->left == VB_NO_SYMBOL ? NONE : m->rank;
}

/* Merges a word's bytes: always the pair of lowest rank, wherever it occurs, from left to right. Returns the number of pieces. */
static size_t merge_word(const vb_tokenizer *t, const uint8_t *word, size_t n, piece *pieces) {
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

static bool is_text(const uint8_t *word, size_t n, const char *text) { return n == strlen(text) && !memcmp(word, text, n); }

/* Ids of the cleaned text's words, at most `room`; returns how many, or -1. */
static int encode_words(const vb_tokenizer *t, const uint8_t *text, size_t n, int room, int32_t *ids, vb_error *err) {
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
            size_t k = merge_word(t, word, length, pieces);
            for (size_t i = 0; i < k && count < room; i++) ids[count++] = vb_tokenizer_tables_ids(t->tables)[pieces[i].symbol];
        }
    }
done:
    vb_free(pieces);
    pcre2_match_data_free(match);
    return count;
}

int vb_tokenizer_encode(const vb_tokenizer *t, const char *text, size_t n, int context_length, int32_t *ids, int *length,
                        vb_error *err) {
    if (context_length < 1) return vb_errorf(err, VB_EUSAGE, "context length %d, expected at least 1", context_length);
    char *clean = vb_text_cleanup(text, n, err);
    if (!clean) return -1;
    int count = 0;
    if (context_length > 1) {
        ids[0] = t->tables->start;
        count = encode_words(t, (const uint8_t *)clean, strlen(clean), context_length - 2, ids + 1, err);
        if (count >= 0) count++;
    }
    vb_free(clean);
    if (count < 0) return -1;
    ids[count++] = t->tables->end;
    int first_end = 0;
    while (ids[first_end] != t->tables->end) first_end++;
    if (length) *length = first_end + 1;
    for (; count < context_length; count++) ids[count] = 0;
    return 0;
}
