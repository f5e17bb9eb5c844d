/* Where pieces go on their way out: up to a limit, unknown characters as bytes, as one, or each. */
#ifndef VB_PIECE_SINK_H
#define VB_PIECE_SINK_H

#include "kernels/text/piece_tables.h"

typedef struct vb_piece_sink {
    const vb_piece_tables *tables;
    vb_piece_layout at;
    int32_t *pieces; /* their numbers, not their ids */
    int count, room;
    bool after_unknown;
} vb_piece_sink;

static inline void vb_piece_sink_put(vb_piece_sink *sink, int32_t piece) {
    if (sink->count < sink->room) sink->pieces[sink->count++] = piece;
    sink->after_unknown = false;
}

/* A text that is no piece. */
static inline void vb_piece_sink_unknown(vb_piece_sink *sink, const char *text, size_t n) {
    const vb_piece_tables *t = sink->tables;
    if (t->byte_fallback) {
        for (size_t i = 0; i < n; i++) vb_piece_sink_put(sink, t->byte_pieces[(uint8_t)text[i]]);
    } else if (t->unknown >= 0 && !(t->fuse_unknown && sink->after_unknown)) {
        vb_piece_sink_put(sink, t->unknown);
        sink->after_unknown = true;
    }
}

#endif
