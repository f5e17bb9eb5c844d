/* One door to all tokenizers: tables of either kind, and the convention around them. */
#include "kernels/text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/text/openai_bpe.h"
#include "kernels/text/piece_cut.h"
#include "kernels/text/text_cleanup.h"

enum { FAIRSEQ_UNKNOWN = 3, NO_TOKEN = -1 };

struct vb_tokenizer {
    const vb_bpe_tables *bpe; /* one of the two; `own` is it, or NULL when it lies elsewhere */
    const vb_piece_tables *pieces;
    void *own;
    vb_openai_bpe *openai;
    vb_text_steps *steps;
    const vb_convention *convention;
    vb_cleaning cleaning;
    int32_t start, end, pad; /* NO_TOKEN: none */
    bool strip_end, fairseq;
};

/* ---- opening ---- */

/* Takes `own` over, also when it fails. */
static int open_with(vb_tokenizer **tokenizer, const vb_bpe_tables *bpe, const vb_piece_tables *pieces, void *own,
                     vb_error *err) {
    *tokenizer = NULL;
    vb_tokenizer *t = bpe || pieces ? vb_array(1, sizeof *t, "tokenizer", err) : NULL;
    if (!t) {
        vb_free(own);
        return -1;
    }
    t->bpe = bpe;
    t->pieces = pieces;
    t->own = own;
    if ((bpe ? vb_openai_bpe_open(&t->openai, bpe, err) : vb_text_steps_open(&t->steps, pieces, err)) ||
        vb_tokenizer_use(t, &vb_convention_rows[vb_convention_index(bpe ? "openai" : "plain")], "tokenizer", err)) {
        vb_tokenizer_close(t);
        return -1;
    }
    *tokenizer = t;
    return 0;
}

int vb_tokenizer_open_bpe(vb_tokenizer **tokenizer, const char *merges, size_t size, bool mask_token, const char *name,
                          vb_error *err) {
    vb_bpe_tables *own = vb_tokenizer_tables_of_merges(merges, size, mask_token, name, err);
    return open_with(tokenizer, own, NULL, own, err);
}

int vb_tokenizer_open_pairs(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges,
                            size_t size, const char *name, vb_error *err) {
    vb_bpe_tables *own = vb_tokenizer_tables_of_pairs(entries, count, merges, size, name, err);
    return open_with(tokenizer, own, NULL, own, err);
}

int vb_tokenizer_open_pieces(vb_tokenizer **tokenizer, const vb_piece_spec *spec, const char *name, vb_error *err) {
    vb_piece_tables *own = vb_piece_tables_make(spec, name, err);
    return open_with(tokenizer, NULL, own, own, err);
}

const void *vb_tokenizer_bytes(const vb_tokenizer *t, size_t *size) {
    *size = t->bpe ? t->bpe->bytes : t->pieces->bytes;
    return t->bpe ? (const void *)t->bpe : t->pieces;
}

int vb_tokenizer_map(vb_tokenizer **tokenizer, const void *bytes, size_t size, vb_error *err) {
    *tokenizer = NULL;
    if (vb_tokenizer_tables_are_sound(bytes, size)) return open_with(tokenizer, bytes, NULL, NULL, err);
    if (vb_piece_tables_are_sound(bytes, size)) return open_with(tokenizer, NULL, bytes, NULL, err);
    return vb_errorf(err, VB_EDATA, "these %zu bytes are no tables of a tokenizer, or of another version", size);
}

void vb_tokenizer_close(vb_tokenizer *t) {
    if (!t) return;
    vb_openai_bpe_close(t->openai);
    vb_text_steps_close(t->steps);
    vb_free(t->own);
    vb_free(t);
}

/* ---- what it is ---- */

vb_tokenizer_kind vb_tokenizer_kind_of(const vb_tokenizer *t) {
    if (t->bpe) return VB_TOKENIZER_OPENAI;
    const vb_piece_layout at = vb_piece_tables_layout(t->pieces);
    for (uint32_t i = 0; i < t->pieces->steps; i++)
        if (at.steps[i].kind == VB_STEP_BYTES) return VB_TOKENIZER_BYTES;
    switch ((vb_piece_algorithm)t->pieces->algorithm) {
    case VB_PIECES_UNIGRAM: return VB_TOKENIZER_UNIGRAM;
    case VB_PIECES_WORDS: return VB_TOKENIZER_WORDS;
    default: return VB_TOKENIZER_MERGES;
    }
}

const char *vb_tokenizer_kind_name(vb_tokenizer_kind kind) {
    switch (kind) {
    case VB_TOKENIZER_OPENAI: return "OpenAI's byte-pair encoding";
    case VB_TOKENIZER_UNIGRAM: return "SentencePiece unigram";
    case VB_TOKENIZER_MERGES: return "SentencePiece BPE";
    case VB_TOKENIZER_WORDS: return "WordPiece";
    case VB_TOKENIZER_BYTES: return "byte-level BPE";
    }
    return "unknown";
}

int32_t vb_tokenizer_size(const vb_tokenizer *t) { return t->bpe ? t->bpe->size : t->pieces->size + t->fairseq; }
int32_t vb_tokenizer_start(const vb_tokenizer *t) { return t->start; }
int32_t vb_tokenizer_end(const vb_tokenizer *t) { return t->end; }
int32_t vb_tokenizer_pad(const vb_tokenizer *t) { return t->pad; }
const vb_convention *vb_tokenizer_convention(const vb_tokenizer *t) { return t->convention; }
vb_cleaning vb_tokenizer_cleaning(const vb_tokenizer *t) { return t->cleaning; }

int32_t vb_tokenizer_find(const vb_tokenizer *t, const char *token, size_t n) {
    if (t->bpe) {
        if (n == strlen(VB_START_TOKEN) && !memcmp(token, VB_START_TOKEN, n)) return t->bpe->start;
        if (n == strlen(VB_END_TOKEN) && !memcmp(token, VB_END_TOKEN, n)) return t->bpe->end;
        return -1;
    }
    const int32_t piece = vb_piece_tables_find(t->pieces, token, n);
    return piece < 0 ? -1 : vb_piece_tables_layout(t->pieces).entries[piece].id;
}

/* ---- the convention ---- */

/* The first of "a b c" that is a number, or a token of the tokenizer. */
static int find_token(const vb_tokenizer *t, const char *texts, int32_t *id, const char *what, const char *name, vb_error *err) {
    *id = NO_TOKEN;
    for (const char *text = texts; text && *text;) {
        const size_t n = strcspn(text, " ");
        const int32_t found = *text >= '0' && *text <= '9' ? (int32_t)strtol(text, NULL, 10) : vb_tokenizer_find(t, text, n);
        if (found >= 0) {
            *id = found;
            return 0;
        }
        text += n + (text[n] == ' ');
    }
    if (!texts) return 0;
    return vb_errorf(err, VB_EMISMATCH, "%s: the tokenizer has no token %s, which %s texts", name, texts, what);
}

int vb_tokenizer_use(vb_tokenizer *t, const vb_convention *convention, const char *name, vb_error *err) {
    int32_t start, end, pad;
    const vb_tokenizer_kind kind = vb_tokenizer_kind_of(t);
    if (!(convention->kinds & (unsigned)kind))
        return vb_errorf(err, VB_EMISMATCH, "%s: a tokenizer of the kind %s, with which the convention %s (%s) does not go", name,
                         vb_tokenizer_kind_name(kind), convention->name, convention->about);
    if (find_token(t, convention->start, &start, "begins", name, err) ||
        find_token(t, convention->end, &end, "ends", name, err) || find_token(t, convention->pad, &pad, "fills up", name, err))
        return -1;
    t->convention = convention;
    t->cleaning = convention->cleaning;
    t->start = start;
    t->end = end;
    t->pad = pad;
    t->strip_end = convention->strip_end;
    t->fairseq = convention->fairseq && t->pieces->single_precision;
    return 0;
}

void vb_tokenizer_clean(vb_tokenizer *t, vb_cleaning cleaning) { t->cleaning = cleaning; }
void vb_tokenizer_strip_end(vb_tokenizer *t, bool strip) { t->strip_end = strip; }

void vb_tokenizer_start_with(vb_tokenizer *t, int32_t id) { t->start = id; }

/* ---- encoding ---- */

int vb_tokenizer_cut(const vb_tokenizer *t, const char *text, size_t n, int room, int32_t *ids, vb_error *err) {
    if (t->bpe) return vb_openai_bpe_cut(t->openai, text, n, room, ids, err);
    const int count = vb_piece_cut(t->pieces, t->steps, text, n, room, ids, err);
    const vb_piece_layout at = vb_piece_tables_layout(t->pieces);
    for (int i = 0; i < count; i++) {
        if (!t->fairseq) ids[i] = at.entries[ids[i]].id;
        else ids[i] = ids[i] == t->pieces->unknown ? FAIRSEQ_UNKNOWN : at.entries[ids[i]].id + 1;
    }
    return count;
}

int vb_tokenizer_fits(const vb_tokenizer *t, const char *text, size_t n, int context_length, bool *fits, vb_error *err) {
    const int ends = t->end != NO_TOKEN, starts = t->start != NO_TOKEN && context_length > ends;
    const int room = context_length - starts - ends;
    int32_t *ids = vb_array((size_t)room + 1, sizeof *ids, "tokens", err);
    char *clean = ids ? vb_text_cleanup_as(t->cleaning, text, n, err) : NULL;
    const int count = clean ? vb_tokenizer_cut(t, clean, strlen(clean), room + 1, ids, err) : -1;
    *fits = count <= room;
    vb_free(clean);
    vb_free(ids);
    return count < 0 ? -1 : 0;
}

int vb_tokenizer_encode(const vb_tokenizer *t, const char *text, size_t n, int context_length, int32_t *ids, int *length,
                        vb_error *err) {
    if (context_length < 1) return vb_errorf(err, VB_EUSAGE, "context length %d, expected at least 1", context_length);
    char *clean = vb_text_cleanup_as(t->cleaning, text, n, err);
    if (!clean) return -1;
    const int ends = t->end != NO_TOKEN, starts = t->start != NO_TOKEN && context_length > ends;
    if (starts) ids[0] = t->start;
    int count = vb_tokenizer_cut(t, clean, strlen(clean), context_length - starts - ends, ids + starts, err);
    vb_free(clean);
    if (count < 0) return -1;
    count += starts;
    if (ends) ids[count++] = t->end;
    int used = count;
    if (ends && !t->strip_end)
        for (used = 1; ids[used - 1] != t->end; used++) continue;
    if (length) *length = used;
    for (int i = 0; t->strip_end && i < count; i++)
        if (ids[i] == t->end) ids[i] = 0;
    for (; count < context_length; count++) ids[count] = t->pad;
    return 0;
}
