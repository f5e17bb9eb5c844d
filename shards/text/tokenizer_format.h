/* The formats of tokenizer files: a row and a file each. A new one is listed in shards/text/tokenizer_file.c. */
#ifndef VB_TOKENIZER_FORMAT_H
#define VB_TOKENIZER_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/text/tokenizer.h"
#include "shards/files/digest.h"

enum { VB_TOKENIZER_FORMAT_BYTES = 64 << 20 }; /* of a file, packed or unpacked, at most */

typedef struct vb_tokenizer_format {
    /* Whether a path (`folder`: it is one) is of this format. The first row that takes it reads it. */
    bool (*recognise)(const char *path, bool folder);
    /* As vb_tokenizer_file_read. */
    int (*read)(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err);
} vb_tokenizer_format;

extern const vb_tokenizer_format vb_tokenizer_format_vocab;  /* tokenizer_vocab.c */
extern const vb_tokenizer_format vb_tokenizer_format_openai; /* tokenizer_openai.c */

/* A file's content, unpacked when it is gzip. Free *bytes with vb_free. VB_EDATA for broken gzip and for too large files. */
int vb_tokenizer_format_unpacked(const char *path, uint8_t **bytes, size_t *size, vb_error *err);

/* The digest of a tokenizer: `kind` tells formats and variants apart. Nothing is done when `digest` is NULL. */
int vb_tokenizer_format_digest(vb_digest *digest, const char *kind, const void *vocabulary, size_t vocabulary_size,
                               const void *merges, size_t merges_size, vb_error *err);

#endif
