/* Steps first, then the parts that they leave, one after the other. */
#include "kernels/text/piece_cut.h"

#include "kernels/base/memory.h"
#include "kernels/base/utf8.h"
#include "kernels/text/merging.h"
#include "kernels/text/unigram.h"
#include "kernels/text/wordpiece.h"

typedef struct cutter {
    const vb_text_steps *steps;
    vb_piece_sink sink;
    vb_byte_text made;
} cutter;

static int cut_parts(cutter *c, const char *text, size_t n, bool begins, vb_error *err) {
    static int (*const algorithms[])(vb_piece_sink *, const char *, size_t, vb_error *) = {[VB_PIECES_UNIGRAM] = vb_unigram_cut,
                                                                                           [VB_PIECES_SCORES] = vb_merging_cut,
                                                                                           [VB_PIECES_PAIRS] = vb_merging_cut,
                                                                                           [VB_PIECES_WORDS] = vb_wordpiece_cut};
    if (vb_text_steps_run(c->steps, text, n, begins, &c->made, err)) return -1;
    for (size_t at = 0; at < c->made.count && c->sink.count < c->sink.room;) {
        const char *mark = memchr(c->made.bytes + at, VB_TEXT_BREAK, c->made.count - at);
        const size_t end = mark ? (size_t)(mark - c->made.bytes) : c->made.count;
        if (c->sink.tables->apart) c->sink.after_unknown = false;
        if (end > at && algorithms[c->sink.tables->algorithm](&c->sink, c->made.bytes + at, end - at, err)) return -1;
        at = end + 1;
    }
    return 0;
}

int vb_piece_cut(const vb_piece_tables *tables, const vb_text_steps *steps, const char *text, size_t n, int room, int32_t *pieces,
                 vb_error *err) {
    cutter c = {.steps = steps, .sink = {.tables = tables, .at = vb_piece_tables_layout(tables), .pieces = pieces, .room = room}};
    const bool whole = tables->steps && c.sink.at.steps[0].kind == VB_STEP_SENTENCEPIECE; /* its steps know the pieces */
    size_t from = 0;
    int status = 0;
    for (size_t i = 0; !status && !whole && i < n && c.sink.count < room;) {
        const int32_t user = vb_piece_tables_user(tables, &c.sink.at, text + i, n - i);
        if (user < 0) {
            for (i++; i < n && !vb_utf8_begins(text[i]); i++) continue;
            continue;
        }
        if (i > from) status = cut_parts(&c, text + from, i - from, !from, err);
        if (!status) vb_piece_sink_put(&c.sink, user);
        from = i += c.sink.at.entries[user].size;
    }
    if (!status && n > from) status = cut_parts(&c, text + from, n - from, !from, err);
    vb_free(c.made.bytes);
    return status ? -1 : c.sink.count;
}
