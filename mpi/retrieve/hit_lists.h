/* The ranked lists of a retrieval as JSON lines, packed where their file's name ends in .zst, and, if wanted, their ids as .npy.
 * Rank 0, local. */
#ifndef VB_HIT_LISTS_H
#define VB_HIT_LISTS_H

#include "mpi/retrieve/retrieve.h"
#include "shards/files/writer.h"
#include "shards/files/zst.h"

/* The caller sets the two paths, the rest is 0. */
typedef struct vb_hit_lists {
    const char *output;   /* {"query": q, "results": [{"id": row, "score": s}, ...]}, a line a query */
    const char *ids;      /* int64, queries x hits; NULL: not wanted */
    vb_zst_writer *lines; /* or */
    vb_writer *plain;
    vb_writer *numbers;
    int64_t *row;
    char *text; /* a line */
    size_t capacity;
} vb_hit_lists;

/* What vb_retrieve gives the lists to; borrows *lists. */
vb_retrieve_sink vb_hit_lists_sink(vb_hit_lists *lists);

/* Both files are whole under their names after this, or neither was touched when the first cannot be written. */
int vb_hit_lists_commit(vb_hit_lists *lists, vb_error *err);
void vb_hit_lists_close(vb_hit_lists *lists); /* drops what was not committed */

#endif
