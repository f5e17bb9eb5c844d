/* Files that are read. All four headers of this wing's ground (file, map, writer, path) let faults be injected at every step. */
#ifndef VB_FILE_H
#define VB_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* VB_EMISSING unless a regular file lies there, a link to one included: what else it is. Nothing is opened. */
int vb_file_expect(const char *path, vb_error *err);

/* Positional reads. A file that ends early is VB_EDATA with path, offset, wanted and found bytes. */
typedef struct vb_file {
    int fd;
    uint64_t size;
    char *path;
} vb_file;

/* VB_EMISSING: not there, not readable, or no regular file. Close with vb_file_close, after a success only. */
int vb_file_open(vb_file *file, const char *path, vb_error *err);
/* Fills the whole buffer or fails. Thread-safe on one file. */
int vb_file_read(const vb_file *file, uint64_t offset, void *buffer, size_t size, vb_error *err);
/* Tells the system that these bytes will be read soon, which begins to fetch them. A hint: nothing is waited for, nothing can
 * fail. */
void vb_file_prefetch(const vb_file *file, uint64_t offset, uint64_t bytes);
void vb_file_close(vb_file *file); /* {.fd = -1} and a file that is closed already are fine */

/* Reads the whole file into memory of its own, NUL-terminated beyond *size; VB_EDATA when larger than `limit` bytes. Free with
 * vb_free. */
int vb_file_read_whole(const char *path, size_t limit, uint8_t **bytes, size_t *size, vb_error *err);

/* For files of /proc and /sys, which have no size: reads what fits into text, always NUL-terminated; "" when it cannot be read.
 * No fault is injected here: they tell of the machine, and no result depends on them. */
void vb_file_read_proc(const char *path, char *text, size_t size);

/* A descriptor of a regular file, opened to read, and its size; -1 after a failure. For map.c; the caller closes it. */
int vb_file_descriptor(const char *path, uint64_t *size, vb_error *err);

#endif
