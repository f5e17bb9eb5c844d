/* Positional reads of a file's content, be the file plain or zstd-compressed. */
#ifndef VB_SOURCE_H
#define VB_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_source vb_source;

/* Compressed or not is found from the first bytes; a name that ends in .zst asks for zstd. Not thread-safe: one source a
 * thread. */
int vb_source_open(vb_source **source, const char *path, vb_error *err);
void vb_source_close(vb_source *source); /* NULL is fine */
const char *vb_source_path(const vb_source *source);

/* True with the content's size; false when it is a zstd stream without a seek table. */
bool vb_source_size(const vb_source *source, uint64_t *size);
/* Where reading goes on at no cost (zstd streams); 0 when every place is equally near. */
uint64_t vb_source_position(const vb_source *source);

/* *got is smaller than size only at the end of the content. */
int vb_source_read_some(vb_source *source, uint64_t offset, void *buffer, size_t size, size_t *got, vb_error *err);
/* All of it, or VB_EDATA with path, offset, wanted and found bytes. */
int vb_source_read(vb_source *source, uint64_t offset, void *buffer, size_t size, vb_error *err);

#endif
