/* CLIP's byte-pair tokenizer, bit for bit as OpenAI's simple_tokenizer.py, from OpenAI's merges file or Hugging Face's pair. */
#ifndef VB_TOKENIZER_H
#define VB_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_tokenizer vb_tokenizer;

typedef struct vb_vocabulary_entry {
    const char *token; /* byte-unicode alphabet, UTF-8, as in vocab.json */
    int32_t id;
} vb_vocabulary_entry;

/* From the text of bpe_simple_vocab_16e6.txt (already decompressed): the first line is a version, then one merge a line; as
 * OpenAI's code, merges 1 .. 49152-256-2 of a longer file are used, all of a shorter one. `mask_token` adds DeCLIP's <|mask|>
 * before the two special tokens; it only takes a number, no text gives it. `name` names the file in messages ("name:line: ...").
 * A first line without "#version", a line that is not two symbols, a symbol outside the byte alphabet are VB_EDATA. Free with
 * vb_tokenizer_close. */
int vb_tokenizer_open_bpe(vb_tokenizer **tokenizer, const char *merges, size_t size, bool mask_token, const char *name,
                          vb_error *err);

/* From vocab.json's pairs and the text of merges.txt (as many merges as above). The ids are the file's. VB_EMISMATCH when the
 * vocabulary lacks a byte, a merge's symbols or a special token; VB_EDATA when an id is out of range or given twice. */
int vb_tokenizer_open_pairs(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges,
                            size_t size, const char *name, vb_error *err);

/* The tables as one block without pointers, the tokenizer's own: what vb_tokenizer_map takes, in this process or another. */
const void *vb_tokenizer_bytes(const vb_tokenizer *tokenizer, size_t *size);

/* A tokenizer over such a block (aligned to 8 bytes) where it lies: the block is not copied and must outlive it. So the processes
 * of a machine can share one. VB_EDATA when the bytes are no such block, or one of another version of this program. */
int vb_tokenizer_map(vb_tokenizer **tokenizer, const void *bytes, size_t size, vb_error *err);

int32_t vb_tokenizer_size(const vb_tokenizer *tokenizer); /* largest id + 1 */
void vb_tokenizer_close(vb_tokenizer *tokenizer);         /* NULL is fine */

/* Cleans `text` (n bytes of UTF-8; invalid sequences become U+FFFD), splits and encodes it: start token, text, end token, zeros.
 * Longer texts are truncated and keep the end token. ids: context_length >= 1 entries. *length (may be NULL): ids up to and with
 * the first end token, where the text towers pool (a text may itself hold "<|endoftext|>"). Thread-safe on one tokenizer. */
int vb_tokenizer_encode(const vb_tokenizer *tokenizer, const char *text, size_t n, int context_length, int32_t *ids, int *length,
                        vb_error *err);

#endif
