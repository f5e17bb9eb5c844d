/* The formats of tokenizer files: a row and a file each. A new one is listed in shards/text/tokenizer_file.c. */
#ifndef VB_TOKENIZER_FORMAT_H
#define VB_TOKENIZER_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/text/tokenizer.h"
#include "shards/files/digest.h"

enum { VB_TOKENIZER_FORMAT_BYTES = 256 << 20 }; /* of a file, packed or unpacked, at most */

typedef struct vb_tokenizer_format {
    const char *what; /* for people: "SentencePiece model" */
    /* Names under which a folder holds it, ending with NULL: the first that is there is what is read. NULL: none. */
    const char *const *names;
    /* Names of the files that are read together with one of this format where they lie beside it, likewise. */
    const char *const *parts;
    /* Whether a file is of this format. The first row that takes it reads it; what none takes, OpenAI's does. */
    bool (*recognise)(const char *path);
    /* As vb_tokenizer_file_read, of a file. */
    int (*read)(vb_tokenizer **tokenizer, const char *path, bool mask_token, vb_digest *digest, vb_error *err);
} vb_tokenizer_format;

extern const vb_tokenizer_format vb_tokenizer_format_vocab;         /* tokenizer_vocab.c */
extern const vb_tokenizer_format vb_tokenizer_format_sentencepiece; /* tokenizer_sentencepiece.c */
extern const vb_tokenizer_format vb_tokenizer_format_wordpiece;     /* tokenizer_wordpiece.c */
extern const vb_tokenizer_format vb_tokenizer_format_openai;        /* tokenizer_openai.c */
extern const vb_tokenizer_format vb_tokenizer_format_json;          /* tokenizer_json.c */

/* A file's content, unpacked when it is gzip. Free *bytes with vb_free. VB_EDATA for broken gzip, for too large files and for
 * what is plainly something else than `expected` ("a merges file"). */
int vb_tokenizer_format_unpacked(const char *path, const char *expected, uint8_t **bytes, size_t *size, vb_error *err);

/* The digest of a tokenizer: `kind` tells formats and variants apart. Nothing is done when `digest` is NULL. */
int vb_tokenizer_format_digest(vb_digest *digest, const char *kind, const void *vocabulary, size_t vocabulary_size,
                               const void *merges, size_t merges_size, vb_error *err);

/* The first bytes of a file, n at most: how many; 0 for a file that cannot be read. */
size_t vb_tokenizer_format_start(const char *path, uint8_t *bytes, size_t n);

/* The error of formats that have no mask token. */
int vb_tokenizer_format_no_mask(const char *path, vb_error *err);

#endif
