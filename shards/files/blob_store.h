/* Bytes that can be made again, each under the digest of a text that names all they depend on: a file a piece in a folder.
 *
 * Files are written whole or not at all, and hold the digest of their bytes: what is damaged is as good as not there. */
#ifndef VB_BLOB_STORE_H
#define VB_BLOB_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* *bytes (vb_free) of a key; NULL where there is nothing, or nothing whole. -1: for lack of memory alone. */
int vb_blob_store_load(const char *folder, const char *key, uint8_t **bytes, size_t *size, vb_error *err);

/* Makes the folder too. VB_EOUTPUT. */
int vb_blob_store_save(const char *folder, const char *key, const void *bytes, size_t size, vb_error *err);

/* $XDG_CACHE_HOME/vocabench/NAME, or ~/.cache/vocabench/NAME. Free with vb_free; NULL: neither variable is set, or no memory. */
char *vb_blob_store_default(const char *name, vb_error *err);

#endif
