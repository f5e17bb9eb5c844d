/* Lines of what a zstd file holds, from a block that grows with the longest one. */
#include "shards/files/zst_lines.h"

#include <string.h>

#include "kernels/base/memory.h"

enum { BLOCK = 1 << 18, LINE_LIMIT = 1 << 24 };

int vb_zst_lines_open(vb_zst_lines *lines, const char *path, vb_error *err) {
    *lines = (vb_zst_lines){.path = path};
    return vb_zst_open(&lines->zst, path, err);
}

void vb_zst_lines_close(vb_zst_lines *lines) {
    vb_free(lines->text);
    vb_zst_close(lines->zst);
    *lines = (vb_zst_lines){0};
}

static int too_long(const vb_zst_lines *lines, vb_error *err) {
    return vb_errorf(err, VB_EDATA, "%s: line %lld: longer than 16 MiB", lines->path, (long long)lines->number + 1);
}

static int read_block(vb_zst_lines *lines, vb_error *err) {
    size_t got;
    const size_t left = lines->filled - lines->begin;
    if (left > LINE_LIMIT) return too_long(lines, err);
    if (left) memmove(lines->text, lines->text + lines->begin, left);
    lines->begin = 0;
    lines->filled = left;
    if (vb_grow((void **)&lines->text, &lines->capacity, left + BLOCK, 1, "lines", err)) return -1;
    if (vb_zst_read(lines->zst, lines->offset, lines->text + left, BLOCK, &got, err)) return -1;
    lines->filled += got;
    lines->offset += got;
    lines->ended = !got;
    return 0;
}

int vb_zst_lines_next(vb_zst_lines *lines, const char **line, size_t *length, vb_error *err) {
    *line = NULL;
    *length = 0;
    for (;;) {
        const size_t left = lines->filled - lines->begin;
        const char *start = left ? lines->text + lines->begin : NULL, *end = left ? memchr(start, '\n', left) : NULL;
        if (end && end - start > LINE_LIMIT) return too_long(lines, err);
        if (end) {
            *line = start;
            *length = (size_t)(end - start);
            lines->begin += *length + 1;
            lines->number++;
            return 0;
        }
        if (lines->ended && left)
            return vb_errorf(err, VB_EDATA, "%s: line %lld: the file ends within it", lines->path, (long long)lines->number + 1);
        if (lines->ended) return 0;
        if (read_block(lines, err)) return -1;
    }
}
