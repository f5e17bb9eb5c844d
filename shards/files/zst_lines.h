/* The lines of a zstd file, such as records of images: one after the other, each whole in memory. */
#ifndef VB_ZST_LINES_H
#define VB_ZST_LINES_H

#include "shards/files/zst.h"

typedef struct vb_zst_lines {
    const char *path; /* the caller's */
    int64_t number;   /* of the line read last, from 1 */
    /* What follows is for the functions below. */
    vb_zst *zst;
    char *text;
    size_t begin, filled, capacity;
    uint64_t offset;
    bool ended;
} vb_zst_lines;

/* Errors as those of vb_zst_open. Close after a failure too. */
int vb_zst_lines_open(vb_zst_lines *lines, const char *path, vb_error *err);
/* The next line without its end, valid until the next call; *line is NULL at the end of the file. VB_EDATA for a line beyond 16
 * MiB, and for a last one that has no end; errors of vb_zst_read. */
int vb_zst_lines_next(vb_zst_lines *lines, const char **line, size_t *length, vb_error *err);
void vb_zst_lines_close(vb_zst_lines *lines); /* a zeroed one is fine */

#endif
