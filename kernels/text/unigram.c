/* Viterbi forwards over the bytes, in the order of additions and comparisons that the libraries have: ties are kept as there. */
#include "kernels/text/unigram.h"

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"

/* The best path that ends at a byte. */
typedef struct end {
    double score;
    int32_t piece; /* NOWHERE: no path; UNKNOWN: a character that is no piece */
    uint32_t size; /* of the last piece */
    uint32_t next; /* on the way out: of the piece that begins here */
} end;
enum { NOWHERE = -2, UNKNOWN = -1 };

static double sum(bool single, double a, double b) { return single ? (double)((float)a + (float)b) : a + b; }

/* An unknown character costs 10 more than the worst piece. */
static double unknown_score(const vb_piece_tables *t) { return sum(t->single_precision, t->lowest, -10); }

/* SentencePiece's bonus for user-defined pieces, which have no score that counts. */
static double score_of(const vb_piece_sink *sink, int32_t piece) {
    const vb_piece_entry *entry = &sink->at.entries[piece];
    if (entry->type != VB_PIECE_USER || !sink->tables->single_precision) return sink->at.scores[piece];
    return (double)(float)(0.1 * entry->size - 0.1);
}

static void offer(end *at, double score, int32_t piece, size_t size) {
    if (at->piece == NOWHERE || score > at->score) *at = (end){score, piece, (uint32_t)size, 0};
}

/* All pieces that begin at byte `from`, shorter ones first. */
static void extend(const vb_piece_sink *sink, end *ends, const char *text, size_t from, size_t n, size_t character) {
    const vb_piece_tables *t = sink->tables;
    const size_t longest = n - from < t->longest ? n - from : t->longest;
    const double before = ends[from].score;
    uint64_t hash = VB_PIECE_HASH;
    bool known = false;
    for (size_t k = 0; k < longest; k++) {
        hash = vb_piece_tables_hash(hash, text[from + k]);
        if (from + k + 1 < n && !vb_utf8_begins(text[from + k + 1])) continue;
        const int32_t piece = vb_piece_tables_look(&sink->at, t->slots, hash, text + from, k + 1);
        if (piece < 0) continue;
        const uint32_t type = sink->at.entries[piece].type;
        if (type != VB_PIECE_NORMAL && type != VB_PIECE_USER) continue;
        offer(&ends[from + k + 1], sum(t->single_precision, before, score_of(sink, piece)), piece, k + 1);
        known |= k + 1 == character;
    }
    if (!known) offer(&ends[from + character], sum(t->single_precision, before, unknown_score(t)), UNKNOWN, character);
}

int vb_unigram_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err) {
    end *ends = vb_buffer(n + 1, sizeof *ends, "text", err);
    if (!ends) return -1;
    for (size_t i = 0; i <= n; i++) ends[i].piece = NOWHERE;
    ends[0] = (end){.piece = UNKNOWN};
    for (size_t i = 0; i < n;) {
        uint32_t c;
        const int length = vb_utf8_next((const uint8_t *)text + i, n - i, &c);
        const size_t character = (size_t)(length > 0 ? length : -length);
        extend(sink, ends, text, i, n, character);
        i += character;
    }
    for (size_t at = n; at; at -= ends[at].size) ends[at - ends[at].size].next = ends[at].size;
    for (size_t at = 0; at < n && sink->count < sink->room; at += ends[at].next) {
        const uint32_t size = ends[at].next;
        const int32_t piece = ends[at + size].piece;
        if (piece >= 0) vb_piece_sink_put(sink, piece);
        else vb_piece_sink_unknown(sink, text + at, size);
    }
    vb_free(ends);
    return 0;
}
