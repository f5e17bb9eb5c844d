/* Builds the tokenizer's tables from OpenAI's merges or Hugging Face's pair: symbols by text, merges by their two symbols. */
#include "kernels/text/tokenizer_tables.h"

#include <string.h>

#include "kernels/text/codepoints.h"
#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

enum {
    BYTE_SYMBOLS = 512,            /* 256 bytes, inside a word and at its end */
    USED_MERGES = 49152 - 256 - 2, /* OpenAI's code reads no more of a longer file */
    LONGEST_SYMBOL = 4096,         /* bytes; genuine symbols have at most a few dozen */
    LARGEST_ID = 1 << 24
};

static const uint64_t magic = 0x3165706276000001u; /* to be changed with the layout */

typedef struct symbol {
    char *text; /* byte alphabet, "</w>" at the end of a word */
    int32_t id; /* -1 when the vocabulary has none */
} symbol;

typedef struct builder {
    symbol *symbols;
    size_t count;
    uint32_t *by_text; /* open addressing over symbols' texts; VB_NO_SYMBOL is free */
    size_t by_text_size;
    vb_bpe_merge *merges;
    uint32_t merge_slots;
    uint32_t inside[256], last[256];
    int32_t size, start, end;
} builder;

/* ---- the byte alphabet: printable Latin-1 stands for itself, the 68 other bytes for U+0100 and on ---- */

static bool stands_for_itself(int byte) { return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae; }

uint32_t vb_tokenizer_tables_letter(int byte) {
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
static uint32_t *text_slot(const builder *t, const char *text, size_t n) {
    size_t mask = t->by_text_size - 1, i = hash_text(text, n) & mask;
    while (t->by_text[i] != VB_NO_SYMBOL) {
        const char *known = t->symbols[t->by_text[i]].text;
        if (!strncmp(known, text, n) && !known[n]) break;
        i = (i + 1) & mask;
    }
    return &t->by_text[i];
}

static uint32_t find_symbol(const builder *t, const char *text, size_t n) { return *text_slot(t, text, n); }

/* The symbol of a text, added when it is new; VB_NO_SYMBOL on lack of memory. Room for it is made before, by make_room. */
static uint32_t intern(builder *t, const char *text, size_t n, vb_error *err) {
    uint32_t *slot = text_slot(t, text, n);
    if (*slot != VB_NO_SYMBOL) return *slot;
    char *copy = vb_strndup(text, n, err);
    if (!copy) return VB_NO_SYMBOL;
    t->symbols[t->count] = (symbol){copy, -1};
    return *slot = (uint32_t)t->count++;
}

static size_t power_above(size_t n) {
    size_t size = 64;
    while (size < n) size *= 2;
    return size;
}

/* Tables for so many symbols and merges, half full at most. */
static int make_tables(builder *t, size_t symbols, size_t merges, vb_error *err) {
    t->by_text_size = power_above(2 * symbols);
    t->merge_slots = (uint32_t)power_above(2 * merges);
    if (!(t->symbols = vb_array(symbols, sizeof *t->symbols, "tokenizer", err))) return -1;
    if (!(t->by_text = vb_array(t->by_text_size, sizeof *t->by_text, "tokenizer", err))) return -1;
    if (!(t->merges = vb_array(t->merge_slots, sizeof *t->merges, "tokenizer", err))) return -1;
    for (size_t i = 0; i < t->by_text_size; i++) t->by_text[i] = VB_NO_SYMBOL;
    for (size_t i = 0; i < t->merge_slots; i++) t->merges[i].left = VB_NO_SYMBOL;
    return 0;
}

/* ---- merges ---- */

typedef struct line {
    const char *text;
    size_t n;
} line;

/* The next line of the text at *at, without line feed and carriage return; false at the end. A line feed at the end starts no
 * line. */
static bool next_merge_line(const char *text, size_t size, size_t *at, line *found) {
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
    if (!next_merge_line(text, size, &at, &first))
        return vb_errorf(err, VB_EDATA, "%s:1: empty file, expected a line with '#version'", name);
    if (!memmem(first.text, first.n, "#version", 8))
        return vb_errorf(err, VB_EDATA, "%s:1: expected a line with '#version', found '%.*s'", name,
                         (int)(first.n < 60 ? first.n : 60), first.text);
    *count = 0;
    while (*count < USED_MERGES && next_merge_line(text, size, &at, &rest)) ++*count;
    return *count ? 0 : vb_errorf(err, VB_EDATA, "%s:2: the file ends here, expected merges, one a line", name);
}

/* Reads merge `rank` into symbols; adds its texts to the symbols where `add`, else they must be there. */
static int read_merge(builder *t, line l, size_t rank, bool add, const char *name, uint32_t *product, vb_error *err) {
    const char *space = memchr(l.text, ' ', l.n);
    size_t left = space ? (size_t)(space - l.text) : 0, right = space ? l.n - left - 1 : 0;
    size_t number = rank + 2;
    int shown = (int)(l.n < 60 ? l.n : 60);
    if (!left || !right || memchr(space + 1, ' ', right))
        return vb_errorf(err, VB_EDATA, "%s:%zu: expected two symbols with a space between, found '%.*s'", name, number, shown,
                         l.text);
    if (left + right > LONGEST_SYMBOL)
        return vb_errorf(err, VB_EDATA, "%s:%zu: a symbol of %zu bytes, expected at most %d", name, number, left + right,
                         LONGEST_SYMBOL);
    if (!in_alphabet(l.text, left) || !in_alphabet(space + 1, right))
        return vb_errorf(err, VB_EDATA, "%s:%zu: '%.*s' is not in the byte alphabet of CLIP's merges", name, number, shown,
                         l.text);
    char joined[LONGEST_SYMBOL];
    memcpy(joined, l.text, left);
    memcpy(joined + left, space + 1, right);
    const line texts[3] = {{l.text, left}, {space + 1, right}, {joined, left + right}};
    uint32_t symbols[3];
    for (int k = 0; k < 3; k++) {
        symbols[k] = add ? intern(t, texts[k].text, texts[k].n, err) : find_symbol(t, texts[k].text, texts[k].n);
        if (symbols[k] != VB_NO_SYMBOL) continue;
        if (add) return -1;
        return vb_errorf(err, VB_EMISMATCH, "%s:%zu: '%.*s' is not in the vocabulary", name, number,
                         (int)(texts[k].n < 60 ? texts[k].n : 60), texts[k].text);
    }
    size_t slot = vb_bpe_merge_slot(t->merges, t->merge_slots, symbols[0], symbols[1]);
    t->merges[slot] = (vb_bpe_merge){symbols[0], symbols[1], (uint32_t)rank, symbols[2]};
    *product = symbols[2];
    return 0;
}

static size_t byte_symbol_text(int byte, bool last, char text[8]) {
    size_t n = (size_t)vb_utf8_put(vb_tokenizer_tables_letter(byte), text);
    if (last) memcpy(text + n, "</w>", 4);
    return n + (last ? 4 : 0);
}

/* Symbols of a vocabulary under its own ids; every id once. */
static int read_vocabulary(builder *t, const vb_vocabulary_entry *entries, size_t count, const char *name, vb_error *err) {
    int status = -1;
    const char **owner = NULL;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].id < 0 || entries[i].id >= LARGEST_ID)
            return vb_errorf(err, VB_EDATA, "%s: the vocabulary gives '%.60s' the id %d, expected 0 .. %d", name,
                             entries[i].token, entries[i].id, LARGEST_ID - 1);
        if (entries[i].id >= t->size) t->size = entries[i].id + 1;
    }
    if (!(owner = vb_array((size_t)t->size, sizeof *owner, "vocabulary", err))) return -1;
    for (size_t i = 0; i < count; i++) {
        const char *token = entries[i].token;
        if (owner[entries[i].id]) {
            vb_errorf(err, VB_EDATA, "%s: the vocabulary gives id %d to both '%.60s' and '%.60s'", name, entries[i].id,
                      owner[entries[i].id], token);
            goto done;
        }
        owner[entries[i].id] = token;
        uint32_t s = intern(t, token, strlen(token), err);
        if (s == VB_NO_SYMBOL) goto done;
        if (t->symbols[s].id >= 0) {
            vb_errorf(err, VB_EDATA, "%s: the vocabulary holds '%.60s' twice", name, token);
            goto done;
        }
        t->symbols[s].id = entries[i].id;
    }
    status = 0;
done:
    vb_free(owner);
    return status;
}

static int require_symbol(const builder *t, const char *text, size_t n, const char *name, uint32_t *s, vb_error *err) {
    *s = find_symbol(t, text, n);
    return *s != VB_NO_SYMBOL ? 0 : vb_errorf(err, VB_EMISMATCH, "%s: the vocabulary lacks the token '%.*s'", name, (int)n, text);
}

static bool looks_special(const char *token) {
    const size_t n = strlen(token);
    return n > 4 && !strncmp(token, "<|", 2) && !strcmp(token + n - 2, "|>");
}

/* A cut file may end with a whole line: its texts would be cut into other, shorter tokens than the model knows. Symbols are
 * numbered as the entries here. */
static int require_made(const builder *t, const vb_vocabulary_entry *entries, bool *made, const char *name, vb_error *err) {
    size_t missing = 0, first = 0;
    for (int i = 0; i < 256; i++) made[t->inside[i]] = made[t->last[i]] = true;
    for (size_t i = t->count; i-- > 0;) {
        if (made[i] || entries[i].special || looks_special(entries[i].token)) continue;
        missing++;
        first = i;
    }
    if (!missing) return 0;
    return vb_errorf(err, VB_EMISMATCH,
                     "%s: %zu of %zu entries of the vocabulary are made by no merge, such as '%.60s': is %s cut?", name, missing,
                     t->count, entries[first].token, name);
}

/* The finished block: encoding needs ids alone, no texts. */
static vb_bpe_tables *freeze(const builder *t, vb_error *err) {
    size_t merges = t->merge_slots * sizeof *t->merges, bytes = sizeof(vb_bpe_tables) + merges + t->count * sizeof(int32_t);
    vb_bpe_tables *tables = vb_array(bytes, 1, "tokenizer", err);
    if (!tables) return NULL;
    *tables = (vb_bpe_tables){.magic = magic,
                              .bytes = bytes,
                              .merge_slots = t->merge_slots,
                              .symbols = (uint32_t)t->count,
                              .size = t->size,
                              .start = t->start,
                              .end = t->end};
    memcpy(tables->inside, t->inside, sizeof tables->inside);
    memcpy(tables->last, t->last, sizeof tables->last);
    memcpy(tables + 1, t->merges, merges);
    int32_t *ids = (int32_t *)((char *)(tables + 1) + merges);
    for (size_t i = 0; i < t->count; i++) ids[i] = t->symbols[i].id;
    return tables;
}

static void free_builder(builder *t) {
    for (size_t i = 0; i < t->count; i++) vb_free(t->symbols[i].text);
    vb_free(t->symbols);
    vb_free(t->by_text);
    vb_free(t->merges);
}

vb_bpe_tables *vb_tokenizer_tables_of_merges(const char *merges, size_t size, bool mask_token, const char *name, vb_error *err) {
    builder new = {0}, *t = &new;
    vb_bpe_tables *tables = NULL;
    size_t count, at = 0;
    if (count_merges(merges, size, name, &count, err) || make_tables(t, BYTE_SYMBOLS + 3 * count, count, err)) goto done;
    int order[256];
    byte_order(order);
    for (int i = 0; i < BYTE_SYMBOLS; i++) {
        char text[8];
        uint32_t s = intern(t, text, byte_symbol_text(order[i % 256], i >= 256, text), err);
        if (s == VB_NO_SYMBOL) goto done;
        t->symbols[s].id = i;
        (i < 256 ? t->inside : t->last)[order[i % 256]] = s;
    }
    line l;
    next_merge_line(merges, size, &at, &l);
    for (size_t rank = 0; rank < count; rank++) {
        uint32_t product;
        next_merge_line(merges, size, &at, &l);
        if (read_merge(t, l, rank, true, name, &product, err)) goto done;
        t->symbols[product].id = (int32_t)(BYTE_SYMBOLS + rank); /* of equal texts the last counts, as in a Python dict */
    }
    t->start = (int32_t)(BYTE_SYMBOLS + count + (mask_token ? 1 : 0));
    t->end = t->start + 1;
    t->size = t->end + 1;
    tables = freeze(t, err);
done:
    free_builder(t);
    return tables;
}

vb_bpe_tables *vb_tokenizer_tables_of_pairs(const vb_vocabulary_entry *entries, size_t count, const char *merges, size_t size,
                                            const char *name, vb_error *err) {
    builder new = {0}, *t = &new;
    vb_bpe_tables *tables = NULL;
    bool *made = NULL;
    size_t lines, at = 0;
    uint32_t s;
    if (count_merges(merges, size, name, &lines, err)) goto done;
    if (make_tables(t, count, lines, err) || read_vocabulary(t, entries, count, name, err)) goto done;
    for (int i = 0; i < BYTE_SYMBOLS; i++) {
        char text[8];
        size_t n = byte_symbol_text(i % 256, i >= 256, text);
        if (require_symbol(t, text, n, name, &(i < 256 ? t->inside : t->last)[i % 256], err)) goto done;
    }
    if (require_symbol(t, VB_START_TOKEN, sizeof VB_START_TOKEN - 1, name, &s, err)) goto done;
    t->start = t->symbols[s].id;
    if (require_symbol(t, VB_END_TOKEN, sizeof VB_END_TOKEN - 1, name, &s, err)) goto done;
    t->end = t->symbols[s].id;
    if (!(made = vb_array(t->count, sizeof *made, "vocabulary", err))) goto done;
    line l;
    next_merge_line(merges, size, &at, &l);
    for (size_t rank = 0; rank < lines; rank++) {
        next_merge_line(merges, size, &at, &l);
        if (read_merge(t, l, rank, false, name, &s, err)) goto done;
        made[s] = true;
    }
    if (!require_made(t, entries, made, name, err)) tables = freeze(t, err);
done:
    vb_free(made);
    free_builder(t);
    return tables;
}

bool vb_tokenizer_tables_are_sound(const void *bytes, size_t size) {
    const vb_bpe_tables *tables = bytes;
    if (size < sizeof *tables || tables->magic != magic || tables->bytes != size) return false;
    uint64_t slots = tables->merge_slots, symbols = tables->symbols, free_slots = 0;
    if (!slots || (slots & (slots - 1)) || size != sizeof *tables + slots * sizeof(vb_bpe_merge) + symbols * sizeof(int32_t))
        return false;
    for (int i = 0; i < 256; i++)
        if (tables->inside[i] >= symbols || tables->last[i] >= symbols) return false;
    if (tables->size < 1 || tables->start < 0 || tables->start >= tables->size || tables->end < 0 || tables->end >= tables->size)
        return false;
    const vb_bpe_merge *merges = vb_tokenizer_tables_merges(tables);
    for (uint64_t i = 0; i < slots; i++) {
        if (merges[i].left == VB_NO_SYMBOL) free_slots++;
        else if (merges[i].left >= symbols || merges[i].right >= symbols || merges[i].product >= symbols) return false;
    }
    const int32_t *ids = vb_tokenizer_tables_ids(tables);
    for (uint64_t i = 0; i < symbols; i++)
        if (ids[i] < -1 || ids[i] >= tables->size) return false;
    return free_slots > 0;
}
