/* Symbols in a list, pairs in a heap; a pair that is no more is passed over when it comes to the top. */
#include "kernels/text/merging.h"

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/pair_heap.h"

enum { NONE = -1, UNKNOWN = -1 };

typedef struct symbol {
    uint32_t at, size; /* 0: merged into another one */
    int32_t before, after, piece;
    bool whole; /* a user-defined piece */
} symbol;

/* A pair that makes an unused piece: where to cut that again (SentencePiece's rev_merge). */
typedef struct unused_cut {
    int32_t product;
    uint32_t left_size;
} unused_cut;

typedef struct merging {
    vb_piece_sink *sink;
    const char *text;
    symbol *symbols;
    int32_t count;
    vb_pair_heap pairs; /* of each the product, and the size of both */
    unused_cut *cuts;
    size_t cut_count, cut_capacity;
} merging;

/* ---- what neighbours make ---- */

static const vb_bpe_merge *find_merge(const merging *m, int32_t left, int32_t right) {
    const vb_piece_tables *t = m->sink->tables;
    if (left < 0 || right < 0 || !t->merge_slots) return NULL;
    const vb_bpe_merge *merges = m->sink->at.merges,
                       *found = &merges[vb_bpe_merge_slot(merges, t->merge_slots, (uint32_t)left, (uint32_t)right)];
    return found->left == VB_NO_SYMBOL ? NULL : found;
}

static int note_cut(merging *m, int32_t product, uint32_t left_size, vb_error *err) {
    void *cuts = m->cuts;
    if (vb_grow(&cuts, &m->cut_capacity, m->cut_count + 1, sizeof *m->cuts, "cuts", err)) return -1;
    m->cuts = cuts;
    m->cuts[m->cut_count++] = (unused_cut){product, left_size};
    return 0;
}

/* The pair of the symbols left and right, if they make a piece. */
static int consider(merging *m, int32_t left, int32_t right, vb_error *err) {
    if (left == NONE || right == NONE) return 0;
    const symbol *a = &m->symbols[left], *b = &m->symbols[right];
    if (a->whole || b->whole) return 0;
    vb_pair_heap_entry new = {.left = left, .right = right, .b = a->size + b->size};
    if (m->sink->tables->algorithm == VB_PIECES_PAIRS) {
        const vb_bpe_merge *merge = find_merge(m, a->piece, b->piece);
        if (!merge) return 0;
        new.a = merge->product;
        new.priority = -(double)merge->rank;
    } else {
        const int32_t product = vb_piece_tables_find(m->sink->tables, m->text + a->at, new.b);
        if (product < 0) return 0;
        const uint32_t type = m->sink->at.entries[product].type;
        if (type != VB_PIECE_NORMAL && type != VB_PIECE_USER && type != VB_PIECE_UNUSED) return 0;
        if (type == VB_PIECE_UNUSED && note_cut(m, product, a->size, err)) return -1;
        new.a = (uint32_t)product;
        new.priority = m->sink->at.scores[product];
    }
    return vb_pair_heap_push(&m->pairs, new, err);
}

/* Whether both symbols are as they were; of a list of merges, whether they make the same piece still. */
static bool is_current(const merging *m, const vb_pair_heap_entry *p) {
    const symbol *left = &m->symbols[p->left], *right = left->after == NONE ? NULL : &m->symbols[left->after];
    if (!left->size || !right) return false;
    if (m->sink->tables->algorithm == VB_PIECES_PAIRS) {
        const vb_bpe_merge *merge = find_merge(m, left->piece, right->piece);
        return merge && merge->product == p->a;
    }
    return left->after == p->right && left->size + right->size == p->b;
}

static int merge_all(merging *m, vb_error *err) {
    for (int32_t i = 0; i + 1 < m->count; i++)
        if (consider(m, i, i + 1, err)) return -1;
    while (m->pairs.count) {
        const vb_pair_heap_entry top = vb_pair_heap_pop(&m->pairs);
        if (!is_current(m, &top)) continue;
        symbol *left = &m->symbols[top.left], *right = &m->symbols[left->after];
        left->size += right->size;
        left->piece = (int32_t)top.a;
        right->size = 0;
        left->after = right->after;
        if (left->after != NONE) m->symbols[left->after].before = top.left;
        if (consider(m, left->before, top.left, err) || consider(m, top.left, left->after, err)) return -1;
    }
    return 0;
}

/* ---- symbols in and out ---- */

static void add_symbol(merging *m, size_t at, size_t size, int32_t piece, bool whole) {
    m->symbols[m->count] = (symbol){(uint32_t)at, (uint32_t)size, m->count - 1, m->count + 1, piece, whole};
    m->count++;
}

/* A character of a list of merges that is no piece: its bytes' pieces, or unknown; a run of unknown ones may be one symbol.
 * Without an unknown piece it is as if it were not there. */
static void add_unknown(merging *m, size_t at, size_t size) {
    const vb_piece_tables *t = m->sink->tables;
    symbol *before = m->count ? &m->symbols[m->count - 1] : NULL;
    if (t->byte_fallback) {
        for (size_t i = 0; i < size; i++) add_symbol(m, at + i, 1, t->byte_pieces[(uint8_t)m->text[at + i]], false);
    } else if (t->unknown < 0) return;
    else if (t->fuse_unknown && before && before->piece == UNKNOWN) before->size += (uint32_t)size;
    else add_symbol(m, at, size, UNKNOWN, false);
}

static void make_symbols(merging *m, size_t n) {
    const vb_piece_tables *t = m->sink->tables;
    const bool listed = t->algorithm == VB_PIECES_PAIRS;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        const int length = vb_utf8_next((const uint8_t *)m->text + i, n - i, &c);
        size_t size = (size_t)(length > 0 ? length : -length);
        const int32_t user = listed ? -1 : vb_piece_tables_user(t, &m->sink->at, m->text + i, n - i);
        if (user >= 0) size = m->sink->at.entries[user].size;
        const int32_t piece = user >= 0 ? user : vb_piece_tables_find(t, m->text + i, size);
        if (listed && piece < 0) add_unknown(m, i, size);
        else add_symbol(m, i, size, piece, user >= 0);
        i += size;
    }
    if (m->count) m->symbols[m->count - 1].after = NONE;
}

static bool comes_out(uint32_t type) { return type == VB_PIECE_NORMAL || type == VB_PIECE_USER; }

/* An unused piece is cut again where it was joined last. */
static void put(merging *m, uint32_t at, uint32_t size) {
    while (size) {
        const int32_t piece = vb_piece_tables_find(m->sink->tables, m->text + at, size);
        const uint32_t type = piece < 0 ? VB_PIECE_UNKNOWN : m->sink->at.entries[piece].type;
        size_t cut = m->cut_count;
        if (type == VB_PIECE_UNUSED)
            while (cut && m->cuts[cut - 1].product != piece) cut--;
        if (type == VB_PIECE_UNUSED && cut) {
            const uint32_t left = m->cuts[cut - 1].left_size;
            put(m, at, left);
            at += left;
            size -= left;
            continue;
        }
        if (comes_out(type)) vb_piece_sink_put(m->sink, piece);
        else vb_piece_sink_unknown(m->sink, m->text + at, size);
        return;
    }
}

int vb_merging_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err) {
    const vb_piece_tables *t = sink->tables;
    if (t->algorithm == VB_PIECES_PAIRS && t->whole_first) {
        const int32_t piece = vb_piece_tables_find(t, text, n);
        if (piece >= 0) {
            vb_piece_sink_put(sink, piece);
            return 0;
        }
    }
    merging m = {.sink = sink, .text = text};
    int status = n < INT32_MAX ? 0 : vb_errorf(err, VB_EUNSUPPORTED, "a text of %zu bytes, expected less than 2 GiB", n);
    if (!status && !(m.symbols = vb_buffer(n, sizeof *m.symbols, "text", err))) status = -1;
    if (!status) {
        make_symbols(&m, n);
        status = merge_all(&m, err);
    }
    for (int32_t i = 0; !status && i != NONE && i < m.count && sink->count < sink->room; i = m.symbols[i].after) {
        const symbol *s = &m.symbols[i];
        if (t->algorithm == VB_PIECES_SCORES) put(&m, s->at, s->size);
        else if (s->piece >= 0) vb_piece_sink_put(sink, s->piece);
        else vb_piece_sink_unknown(sink, text + s->at, s->size);
    }
    vb_free(m.symbols);
    vb_free(m.pairs.items);
    vb_free(m.cuts);
    return status;
}
