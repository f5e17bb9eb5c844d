/* ZIP archives over bytes in memory (a map): stored entries are used where they lie.
 *
 * Source: PKWARE's APPNOTE 6.3.10. One disk, ZIP64 included, methods stored and deflate, no encryption. */
#ifndef VB_ZIP_H
#define VB_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_zip_entry {
    const char *name;
    uint64_t size, compressed; /* bytes of content, bytes in the archive */
    uint64_t header;           /* offset of the local header */
    uint32_t crc;
    uint16_t method, flags;
    uint8_t *inflated; /* of a compressed entry that was asked for */
} vb_zip_entry;

typedef struct vb_zip {
    const uint8_t *data;
    size_t size;
    size_t count;
    vb_zip_entry *entries; /* sorted by name (strcmp) */
    char *names;
    uint64_t inflated; /* bytes, over all entries */
} vb_zip;

enum { VB_ZIP_INFLATED = 64 << 20 }; /* bytes of all compressed entries together that may be asked for */

bool vb_zip_begins(const uint8_t *data, size_t size); /* whether the bytes begin as an archive */

/* Reads the central directory. `data` must outlive the archive. VB_EDATA for what is cut short or corrupt, an entry listed twice
 * included. Close with vb_zip_close, also after a failure. */
int vb_zip_open(vb_zip *zip, const uint8_t *data, size_t size, const char *path, vb_error *err);
vb_zip_entry *vb_zip_find(const vb_zip *zip, const char *name); /* NULL when there is none */

/* An entry's content, valid until vb_zip_close: inside of `data` when it is stored, otherwise inflated and checked against its
 * CRC. The CRC of stored entries is not looked at: it would read the whole file, and PyTorch can be told to write none.
 * VB_EUNSUPPORTED when compressed content exceeds the bound. Not thread-safe. */
int vb_zip_content(vb_zip *zip, vb_zip_entry *entry, const uint8_t **bytes, const char *path, vb_error *err);
void vb_zip_close(vb_zip *zip); /* {0} is fine */

#endif
