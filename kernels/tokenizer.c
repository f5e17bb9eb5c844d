/* CLIP's byte-pair encoding: symbols and merges in hash tables, words found by PCRE2, merged by rank. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "kernels/tokenizer.h"

#include <limits.h>
#include <pcre2.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/codepoints.h"
#include "kernels/memory.h"

enum {
    BYTE_SYMBOLS = 512,                        /* 256 bytes, inside a word and at its end */
    USED_MERGES = 49152 - 256 - 2,             /* OpenAI's code reads no more of a longer file */
    LONGEST_SYMBOL = 4096,                     /* bytes; genuine symbols have at most a few dozen */
    LARGEST_ID = 1 << 24
};
#define NONE UINT32_MAX
#define START_TOKEN "<|startoftext|>"
#define END_TOKEN "<|endoftext|>"

/* OpenAI's pattern. The clean-up leaves no white space but U+0020, so a space stands for \s, whose meaning differs between engines.
 * U+0345 is no letter, but one of the cases of Greek iota: Python's regex, ignoring case, lets neither class have it, and so drops it. */
static const char pattern[] = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|"
                              "[\\p{L}]+|[\\p{N}]|[^ \\p{L}\\p{N}\\x{345}]+";

typedef struct symbol {
    char *text; /* byte alphabet, "</w>" at the end of a word; NULL once the tokenizer is open */
    int32_t id; /* -1 when the vocabulary has none */
} symbol;

typedef struct merge { uint32_t left, right, rank, product; } merge; /* left NONE: free slot */

struct vb_tokenizer {
    symbol *symbols;
    size_t count;
    uint32_t *by_text; /* open addressing over symbols' texts; NONE is free; only while opening */
    size_t by_text_size;
    merge *merges; /* open addressing over (left, right) */
    size_t merges_size;
    uint32_t inside[256], last[256]; /* symbols of the bytes */
    int32_t size, start, end;
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

/* ---- the byte alphabet: printable Latin-1 stands for itself, the 68 other bytes for U+0100 and on ---- */

static bool stands_for_itself(int byte) { return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae; }

static uint32_t byte_letter(int byte) {
    if (stands_for_itself(byte)) return (uint32_t)byte;
    uint32_t letter = 0x100;
    for (int b = 0; b < byte; b++) letter += !stands_for_itself(b);
    return letter;
}

/* Bytes in the order of OpenAI's vocabulary: those that stand for themselves, then the others. */
static void byte_order(int order[256]) {
    int n = 0;
    for (int others = 0; others < 2; others++)
        for (int b = 0; b < 256; b++)
            if (stands_for_itself(b) != others) order[n++] = b;
}

/* Whether a symbol is written in the byte alphabet. */
static bool in_alphabet(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        uint32_t c;
        int length = vb_utf8_next((const uint8_t *)text + i, n - i, &c);
        if (length < 0 || c > 0x143 || (c < 0x100 && !stands_for_itself((int)c))) return false;
        i += (size_t)length;
    }
    return n > 0;
}

/* ---- symbols by text ---- */

static uint64_t hash_text(const char *text, size_t n) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* The slot of a text: its symbol's, or the free one where it would go. */
static uint32_t *text_slot(const vb_tokenizer *t, const char *text, size_t n) {
    size_t mask = t->by_text_size - 1, i = hash_text(text, n) & mask;
    while (t->by_text[i] != NONE) {
        const char *known = t->symbols[t->by_text[i]].text;
        if (!strncmp(known, text, n) && !known[n]) break;
        i = (i + 1) & mask;
    }
    return &t->by_text[i];
}

static uint32_t find_symbol(const vb_tokenizer *t, const char *text, size_t n) { return *text_slot(t, text, n); }

/* The symbol of a text, added when it is new; NONE on lack of memory. Room for it is made before, by make_room. */
static uint32_t intern(vb_tokenizer *t, const char *text, size_t n, vb_error *err) {
    uint32_t *slot = text_slot(t, text, n);
    if (*slot != NONE) return *slot;
    char *copy = vb_strndup(text, n, err);
    if (!copy) return NONE;
    t->symbols[t->count] = (symbol){copy, -1};
    return *slot = (uint32_t)t->count++;
}

static size_t power_above(size_t n) {
    size_t size = 64;
    while (size < n) size *= 2;
    return size;
}

/* Tables for so many symbols and merges, half full at most. */
static int make_room(vb_tokenizer *t, size_t symbols, size_t merges, vb_error *err) {
    t->by_text_size = power_above(2 * symbols);
    t->merges_size = power_above(2 * merges);
    if (!(t->symbols = vb_array(symbols, sizeof *t->symbols, "tokenizer", err))) return -1;
    if (!(t->by_text = vb_array(t->by_text_size, sizeof *t->by_text, "tokenizer", err))) return -1;
    if (!(t->merges = vb_array(t->merges_size, sizeof *t->merges, "tokenizer", err))) return -1;
    for (size_t i = 0; i < t->by_text_size; i++) t->by_text[i] = NONE;
    for (size_t i = 0; i < t->merges_size; i++) t->merges[i].left = NONE;
    return 0;
}

/* ---- merges ---- */

static merge *merge_slot(const vb_tokenizer *t, uint32_t left, uint32_t right) {
    uint64_t key = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    size_t mask = t->merges_size - 1, i = (size_t)(key >> 32) & mask;
    while (t->merges[i].left != NONE && (t->merges[i].left != left || t->merges[i].right != right)) i = (i + 1) & mask;
    return &t->merges[i];
}

typedef struct line { const char *text; size_t n; } line;

/* The next line of the text at *at, without line feed and carriage return; false at the end. A line feed at the end starts no line. */
static bool next_line(const char *text, size_t size, size_t *at, line *found) {
    if (*at >= size) return false;
    const char *begin = text + *at, *end = memchr(begin, '\n', size - *at);
    found->text = begin;
    found->n = end ? (size_t)(end - begin) : size - *at;
    *at += found->n + 1;
    while (found->n && (begin[found->n - 1] == '\r' || begin[found->n - 1] == ' ')) found->n--;
    return true;
}

/* Checks the first line and counts the merges that are used. */
static int count_merges(const char *text, size_t size, const char *name, size_t *count, vb_error *err) {
    size_t at = 0;
    line first, rest;
    if (!next_line(text, size, &at, &first)) return vb_errorf(err, VB_EDATA, "%s:1: empty file, expected a line with '#version'", name);
    if (!memmem(first.text, first.n, "#version", 8))
        return vb_errorf(err, VB_EDATA, "%s:1: expected a line with '#version', found '%.*s'", name,
                         (int)(first.n < 60 ? first.n : 60), first.text);
    *count = 0;
    while (*count < USED_MERGES && next_line(text, size, &at, &rest)) ++*count;
    return *count ? 0 : vb_errorf(err, VB_EDATA, "%s:2: the file ends here, expected merges, one a line", name);
}

/* Reads merge `rank` into symbols; adds its texts to the symbols where `add`, else they must be there. */
static int read_merge(vb_tokenizer *t, line l, size_t rank, bool add, const char *name, uint32_t *product, vb_error *err) {
    const char *space = memchr(l.text, ' ', l.n);
    size_t left = space ? (size_t)(space - l.text) : 0, right = space ? l.n - left - 1 : 0;
    size_t number = rank + 2;
    int shown = (int)(l.n < 60 ? l.n : 60);
    if (!left || !right || memchr(space + 1, ' ', right))
        return vb_errorf(err, VB_EDATA, "%s:%zu: expected two symbols with a space between, found '%.*s'", name, number, shown, l.text);
    if (left + right > LONGEST_SYMBOL)
        return vb_errorf(err, VB_EDATA, "%s:%zu: a symbol of %zu bytes, expected at most %d", name, number, left + right, LONGEST_SYMBOL);
    if (!in_alphabet(l.text, left) || !in_alphabet(space + 1, right))
        return vb_errorf(err, VB_EDATA, "%s:%zu: '%.*s' is not in the byte alphabet of CLIP's merges", name, number, shown, l.text);
    char joined[LONGEST_SYMBOL];
    memcpy(joined, l.text, left);
    memcpy(joined + left, space + 1, right);
    const line texts[3] = {{l.text, left}, {space + 1, right}, {joined, left + right}};
    uint32_t symbols[3];
    for (int k = 0; k < 3; k++) {
        symbols[k] = add ? intern(t, texts[k].text, texts[k].n, err) : find_symbol(t, texts[k].text, texts[k].n);
        if (symbols[k] != NONE) continue;
        if (add) return -1;
        return vb_errorf(err, VB_EMISMATCH, "%s:%zu: '%.*s' is not in the vocabulary", name, number,
                         (int)(texts[k].n < 60 ? texts[k].n : 60), texts[k].text);
    }
    *merge_slot(t, symbols[0], symbols[1]) = (merge){symbols[0], symbols[1], (uint32_t)rank, symbols[2]};
    *product = symbols[2];
    return 0;
}

/* ---- opening ---- */

static int compile_pattern(vb_tokenizer *t, vb_error *err) {
    int code;
    PCRE2_SIZE offset;
    t->memory = pcre2_general_context_create(pcre_allocate, pcre_free, NULL);
    pcre2_compile_context *context = t->memory ? pcre2_compile_context_create(t->memory) : NULL;
    if (!context) return vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for the pattern");
    t->code = pcre2_compile((PCRE2_SPTR)pattern, sizeof pattern - 1, PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (!t->code && code == PCRE2_ERROR_HEAP_FAILED) return vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for the pattern");
    if (!t->code)
        return vb_errorf(err, VB_EINTERNAL, "PCRE2 refuses the tokenizer's pattern at offset %zu (error %d)", (size_t)offset, code);
    pcre2_jit_compile(t->code, PCRE2_JIT_COMPLETE); /* without it PCRE2 interprets: slower, the same matches */
    return 0;
}

static size_t byte_symbol_text(int byte, bool last, char text[8]) {
    size_t n = (size_t)vb_utf8_put(byte_letter(byte), text);
    if (last) memcpy(text + n, "</w>", 4);
    return n + (last ? 4 : 0);
}

static vb_tokenizer *new_tokenizer(vb_error *err) {
    vb_tokenizer *t = vb_array(1, sizeof *t, "tokenizer", err);
    if (!t) return NULL;
    if (!compile_pattern(t, err)) return t;
    vb_tokenizer_close(t);
    return NULL;
}

/* Encoding needs ids alone, no texts. */
static void free_texts(vb_tokenizer *t) {
    for (size_t i = 0; i < t->count; i++) {
        vb_free(t->symbols[i].text);
        t->symbols[i].text = NULL;
    }
    vb_free(t->by_text);
    t->by_text = NULL;
}

int vb_tokenizer_open_bpe(vb_tokenizer **tokenizer, const char *merges, size_t size, int mask_token, const char *name, vb_error *err) {
    *tokenizer = NULL;
    size_t count, at = 0;
    if (count_merges(merges, size, name, &count, err)) return -1;
    vb_tokenizer *t = new_tokenizer(err);
    if (!t) return -1;
    if (make_room(t, BYTE_SYMBOLS + 3 * count, count, err)) goto fail;
    int order[256];
    byte_order(order);
    for (int i = 0; i < BYTE_SYMBOLS; i++) {
        char text[8];
        uint32_t s = intern(t, text, byte_symbol_text(order[i % 256], i >= 256, text), err);
        if (s == NONE) goto fail;
        t->symbols[s].id = i;
        (i < 256 ? t->inside : t->last)[order[i % 256]] = s;
    }
    line l;
    next_line(merges, size, &at, &l);
    for (size_t rank = 0; rank < count; rank++) {
        uint32_t product;
        next_line(merges, size, &at, &l);
        if (read_merge(t, l, rank, true, name, &product, err)) goto fail;
        t->symbols[product].id = (int32_t)(BYTE_SYMBOLS + rank); /* of equal texts the last counts, as in a Python dict */
    }
    t->start = (int32_t)(BYTE_SYMBOLS + count + (mask_token ? 1 : 0));
    t->end = t->start + 1;
    t->size = t->end + 1;
    free_texts(t);
    *tokenizer = t;
    return 0;
fail:
    vb_tokenizer_close(t);
    return -1;
}

/* Symbols of a vocabulary under its own ids; every id once. */
static int read_vocabulary(vb_tokenizer *t, const vb_vocabulary_entry *entries, size_t count, const char *name, vb_error *err) {
    int status = -1;
    const char **owner = NULL;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].id < 0 || entries[i].id >= LARGEST_ID)
            return vb_errorf(err, VB_EDATA, "%s: the vocabulary gives '%.60s' the id %d, expected 0 .. %d", name, entries[i].token,
                             entries[i].id, LARGEST_ID - 1);
        if (entries[i].id >= t->size) t->size = entries[i].id + 1;
    }
    if (!(owner = vb_array((size_t)t->size, sizeof *owner, "vocabulary", err))) return -1;
    for (size_t i = 0; i < count; i++) {
        const char *token = entries[i].token;
        if (owner[entries[i].id]) {
            vb_errorf(err, VB_EDATA, "%s: the vocabulary gives id %d to both '%.60s' and '%.60s'", name, entries[i].id,
                      owner[entries[i].id], token);
            goto end;
        }
        owner[entries[i].id] = token;
        uint32_t s = intern(t, token, strlen(token), err);
        if (s == NONE) goto end;
        if (t->symbols[s].id >= 0) {
            vb_errorf(err, VB_EDATA, "%s: the vocabulary holds '%.60s' twice", name, token);
            goto end;
        }
        t->symbols[s].id = entries[i].id;
    }
    status = 0;
end:
    vb_free(owner);
    return status;
}

static int require_symbol(const vb_tokenizer *t, const char *text, size_t n, const char *name, uint32_t *s, vb_error *err) {
    *s = find_symbol(t, text, n);
    return *s != NONE ? 0 : vb_errorf(err, VB_EMISMATCH, "%s: the vocabulary lacks the token '%.*s'", name, (int)n, text);
}

int vb_tokenizer_open_pairs(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges, size_t size,
                            const char *name, vb_error *err) {
    *tokenizer = NULL;
    size_t lines, at = 0;
    uint32_t s;
    if (count_merges(merges, size, name, &lines, err)) return -1;
    vb_tokenizer *t = new_tokenizer(err);
    if (!t) return -1;
    if (make_room(t, count, lines, err) || read_vocabulary(t, entries, count, name, err)) goto fail;
    for (int i = 0; i < BYTE_SYMBOLS; i++) {
        char text[8];
        size_t n = byte_symbol_text(i % 256, i >= 256, text);
        if (require_symbol(t, text, n, name, &(i < 256 ? t->inside : t->last)[i % 256], err)) goto fail;
    }
    if (require_symbol(t, START_TOKEN, sizeof START_TOKEN - 1, name, &s, err)) goto fail;
    t->start = t->symbols[s].id;
    if (require_symbol(t, END_TOKEN, sizeof END_TOKEN - 1, name, &s, err)) goto fail;
    t->end = t->symbols[s].id;
    line l;
    next_line(merges, size, &at, &l);
    for (size_t rank = 0; rank < lines; rank++) {
        next_line(merges, size, &at, &l);
        if (read_merge(t, l, rank, false, name, &s, err)) goto fail;
    }
    free_texts(t);
    *tokenizer = t;
    return 0;
fail:
    vb_tokenizer_close(t);
    return -1;
}

int32_t vb_tokenizer_size(const vb_tokenizer *tokenizer) { return tokenizer->size; }
int32_t vb_tokenizer_start(const vb_tokenizer *tokenizer) { return tokenizer->start; }
int32_t vb_tokenizer_end(const vb_tokenizer *tokenizer) { return tokenizer->end; }

void vb_tokenizer_close(vb_tokenizer *t) {
    if (!t) return;
    free_texts(t);
    vb_free(t->symbols);
    vb_free(t->merges);
    pcre2_code_free(t->code);
    pcre2_general_context_free(t->memory);
    vb_free(t);
}

/* ---- encoding ---- */

typedef struct piece { uint32_t symbol, rank; } piece; /* rank of the merge with the next piece, NONE when there is none */

static uint32_t pair_rank(const vb_tokenizer *t, const piece *pieces, size_t i, size_t n) {
    if (i + 1 >= n) return NONE;
    const merge *m = merge_slot(t, pieces[i].symbol, pieces[i + 1].symbol);
    return m->left == NONE ? NONE : m->rank;
}

/* Merges a word's bytes: always the pair of lowest rank, wherever it occurs, from left to right. Returns the number of pieces. */
static size_t merge_word(const vb_tokenizer *t, const uint8_t *word, size_t n, piece *pieces) {
    for (size_t i = 0; i < n; i++) pieces[i].symbol = (i + 1 < n ? t->inside : t->last)[word[i]];
    for (size_t i = 0; i < n; i++) pieces[i].rank = pair_rank(t, pieces, i, n);
    for (;;) {
        uint32_t best = NONE;
        size_t first = 0;
        for (size_t i = 0; i < n; i++)
            if (pieces[i].rank < best) best = pieces[first = i].rank;
        if (best == NONE) return n;
        uint32_t product = merge_slot(t, pieces[first].symbol, pieces[first + 1].symbol)->product;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            if (pieces[i].rank == best) pieces[kept++].symbol = product, i++;
            else pieces[kept++] = pieces[i];
        }
        n = kept;
        for (size_t i = 0; i < n; i++)
            if (pieces[i].symbol == product || (i + 1 < n && pieces[i + 1].symbol == product)) pieces[i].rank = pair_rank(t, pieces, i, n);
    }
}

static bool is_text(const uint8_t *word, size_t n, const char *text) { return n == strlen(text) && !memcmp(word, text, n); }

/* Ids of the cleaned text's words, at most `room`; returns how many, or -1. */
static int encode_words(const vb_tokenizer *t, const uint8_t *text, size_t n, int room, int32_t *ids, vb_error *err) {
    int count = -1;
    pcre2_match_data *match = pcre2_match_data_create(1, t->memory);
    piece *pieces = vb_array(n, sizeof *pieces, "word", err);
    if (!match) vb_errorf(err, VB_EMEMORY, "tokenizer: no memory for a match");
    if (!match || !pieces) goto end;
    count = 0;
    for (size_t at = 0; at < n && count < room;) {
        int found = pcre2_match(t->code, text, n, at, PCRE2_NO_UTF_CHECK, match, NULL);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0) {
            count = vb_errorf(err, found == PCRE2_ERROR_NOMEMORY ? VB_EMEMORY : VB_EINTERNAL, "tokenizer: PCRE2 error %d", found);
            goto end;
        }
        const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match);
        const uint8_t *word = text + range[0];
        size_t length = range[1] - range[0];
        at = range[1];
        if (is_text(word, length, START_TOKEN)) ids[count++] = t->start;
        else if (is_text(word, length, END_TOKEN)) ids[count++] = t->end;
        else {
            size_t k = merge_word(t, word, length, pieces);
            for (size_t i = 0; i < k && count < room; i++) ids[count++] = t->symbols[pieces[i].symbol].id;
        }
    }
end:
    vb_free(pieces);
    pcre2_match_data_free(match);
    return count;
}

int vb_tokenizer_encode(const vb_tokenizer *t, const char *text, size_t n, int context_length, int32_t *ids, int *length, vb_error *err) {
    if (context_length < 1) return vb_errorf(err, VB_EUSAGE, "context length %d, expected at least 1", context_length);
    char *clean = vb_clean_text(text, n, err);
    if (!clean) return -1;
    int count = 0;
    if (context_length > 1) {
        ids[0] = t->start;
        count = encode_words(t, (const uint8_t *)clean, strlen(clean), context_length - 2, ids + 1, err);
        if (count >= 0) count++;
    }
    vb_free(clean);
    if (count < 0) return -1;
    ids[count++] = t->end;
    int first_end = 0;
    while (ids[first_end] != t->end) first_end++;
    if (length) *length = first_end + 1;
    for (; count < context_length; count++) ids[count] = 0;
    return 0;
}
