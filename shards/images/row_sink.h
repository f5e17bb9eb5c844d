/* Who takes an image row by row while it is decoded, and grants the memory for that. Types only. */
#ifndef VB_ROW_SINK_H
#define VB_ROW_SINK_H

#include "kernels/image/preprocess.h"

typedef struct vb_row_sink {
    /* Asked when the header is read and before memory is taken that grows with the image: whether a decoder may take `bytes` for
     * an image of this mode and size. It may wait. Asked again where a file is read a second time: what was granted before is
     * given back then. 0, or -1 with the reason, which begins with `name`. */
    int (*admit)(void *context, const vb_image *head, uint64_t bytes, const char *name, vb_error *err);
    /* The rows begin, from the top; head: mode, size and palette. Also when they begin anew. 0, or -1. */
    int (*begin)(void *context, const vb_image *head, vb_error *err);
    /* The next row; its bytes are the decoder's, aligned as its pixels are. 0, or -1 to end decoding. */
    int (*row)(void *context, const uint8_t *row, vb_error *err);
    void *context;
} vb_row_sink;

#endif
