/* Content digests: XXH3-128, written as 32 hexadecimal digits. */
#ifndef VB_DIGEST_H
#define VB_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_digest {
    char hex[33];
} vb_digest;

typedef struct vb_digester vb_digester;                   /* a running digest of a sequence of fields */
int vb_digest_new(vb_digester **digester, vb_error *err); /* ends with vb_digest_finish or vb_digest_free */
/* Adds one field; its length is hashed too, so that ("ab","c") and ("a","bc") differ. */
void vb_digest_add(vb_digester *digester, const void *bytes, size_t size);
/* Adds bytes without their length: pieces of one whole, whose digest alone is then vb_digest_bytes'. */
void vb_digest_add_piece(vb_digester *digester, const void *bytes, size_t size);
void vb_digest_add_text(vb_digester *digester, const char *text); /* a field without its NUL */
vb_digest vb_digest_finish(vb_digester *digester);                /* frees the digester */
void vb_digest_free(vb_digester *digester);                       /* frees it unfinished; NULL is fine */

uint64_t vb_digest_checksum(const void *bytes, size_t size, uint64_t seed); /* XXH3-64 */

vb_digest vb_digest_bytes(const void *bytes, size_t size); /* plain XXH3-128 of the bytes, as `xxhsum -H2` prints it */
int vb_digest_file(const char *path, vb_digest *digest, vb_error *err); /* the same of a file's content */

/* Who is told of a long pass over bytes: step is called every VB_DIGEST_PIECE of them, and ends it with -1. */
enum { VB_DIGEST_PIECE = 1 << 18 };
typedef struct vb_digest_watch {
    int (*step)(void *context, int64_t bytes, vb_error *err); /* NULL: nobody */
    void *context;
} vb_digest_watch;
/* vb_digest_bytes of what is long. */
int vb_digest_watched(const void *bytes, size_t size, const vb_digest_watch *watch, vb_digest *digest, vb_error *err);
/* vb_digest_file of what is long. */
int vb_digest_file_watched(const char *path, const vb_digest_watch *watch, vb_digest *digest, vb_error *err);

#endif
