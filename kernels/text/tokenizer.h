/* Tokenizers: CLIP's byte-pair encoding, bit for bit as OpenAI's simple_tokenizer.py; SentencePiece's unigram and BPE models;
 * WordPiece; and Hugging Face's of these kinds. With the convention around them (convention.h). */
#ifndef VB_TOKENIZER_H
#define VB_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/text/convention.h"
#include "kernels/text/piece_tables.h"

typedef struct vb_tokenizer vb_tokenizer;

typedef struct vb_vocabulary_entry {
    const char *token; /* byte-unicode alphabet, UTF-8, as in vocab.json */
    int32_t id;
    bool special; /* no merge need make it; <|...|> is so by its look */
} vb_vocabulary_entry;

/* From the text of bpe_simple_vocab_16e6.txt (already decompressed): the first line is a version, then one merge a line; as
 * OpenAI's code, merges 1 .. 49152-256-2 of a longer file are used, all of a shorter one. `mask_token` adds DeCLIP's <|mask|>
 * before the two special tokens; it only takes a number, no text gives it. `name` names the file in messages ("name:line: ...").
 * A first line without "#version", a line that is not two symbols, a symbol outside the byte alphabet are VB_EDATA. Free with
 * vb_tokenizer_close. */
int vb_tokenizer_open_bpe(vb_tokenizer **tokenizer, const char *merges, size_t size, bool mask_token, const char *name,
                          vb_error *err);

/* From vocab.json's pairs and the text of merges.txt (as many merges as above). The ids are the file's. VB_EMISMATCH when the
 * vocabulary lacks a byte, a merge's symbols or a special token, or holds a token that no merge makes; VB_EDATA when an id is out
 * of range or given twice. */
int vb_tokenizer_open_pairs(vb_tokenizer **tokenizer, const vb_vocabulary_entry *entries, size_t count, const char *merges,
                            size_t size, const char *name, vb_error *err);

/* From pieces, merges and steps that a reader of files has listed: errors of vb_piece_tables_make. */
int vb_tokenizer_open_pieces(vb_tokenizer **tokenizer, const vb_piece_spec *spec, const char *name, vb_error *err);

/* The tables as one block without pointers, the tokenizer's own: what vb_tokenizer_map takes, in this process or another. */
const void *vb_tokenizer_bytes(const vb_tokenizer *tokenizer, size_t *size);

/* A tokenizer over such a block (aligned to 8 bytes) where it lies: the block is not copied and must outlive it. So the processes
 * of a machine can share one. VB_EDATA when the bytes are no such block, or one of another version of this program. */
int vb_tokenizer_map(vb_tokenizer **tokenizer, const void *bytes, size_t size, vb_error *err);

int32_t vb_tokenizer_size(const vb_tokenizer *tokenizer); /* largest id + 1 */
void vb_tokenizer_close(vb_tokenizer *tokenizer);         /* NULL is fine */

vb_tokenizer_kind vb_tokenizer_kind_of(const vb_tokenizer *tokenizer);
const char *vb_tokenizer_kind_name(vb_tokenizer_kind kind); /* "SentencePiece unigram" */
/* The id of a token by its text, specials included; -1: none. Of OpenAI's, the two specials alone. */
int32_t vb_tokenizer_find(const vb_tokenizer *tokenizer, const char *token, size_t n);

/* The convention from now on; tokenizers begin with "openai" or "plain". VB_EMISMATCH: it goes with another kind, or names tokens
 * that the tokenizer lacks. `name` names the file. */
int vb_tokenizer_use(vb_tokenizer *tokenizer, const vb_convention *convention, const char *name, vb_error *err);
void vb_tokenizer_clean(vb_tokenizer *tokenizer, vb_cleaning cleaning); /* another cleaning than the convention's */
void vb_tokenizer_strip_end(vb_tokenizer *tokenizer, bool strip);       /* likewise */
void vb_tokenizer_start_with(vb_tokenizer *tokenizer, int32_t id);      /* another start token */
const vb_convention *vb_tokenizer_convention(const vb_tokenizer *tokenizer);
vb_cleaning vb_tokenizer_cleaning(const vb_tokenizer *tokenizer);
/* Its ids; -1: there is none. */
int32_t vb_tokenizer_start(const vb_tokenizer *tokenizer);
int32_t vb_tokenizer_end(const vb_tokenizer *tokenizer);
int32_t vb_tokenizer_pad(const vb_tokenizer *tokenizer);

/* Cleans `text` (n bytes of UTF-8; invalid sequences become U+FFFD), splits and encodes it: start token, text, end token, and the
 * padding up to context_length, as the convention has them. Longer texts are truncated and keep the end token. ids:
 * context_length >= 1 entries. *length (may be NULL): ids up to and with the first end token, where the text towers pool (a text
 * may itself hold "<|endoftext|>"); without end tokens, ids before the padding. Thread-safe on one tokenizer. */
int vb_tokenizer_encode(const vb_tokenizer *tokenizer, const char *text, size_t n, int context_length, int32_t *ids, int *length,
                        vb_error *err);

/* Whether a text has no more tokens than the context has room for, or would be cut. Thread-safe on one tokenizer. */
int vb_tokenizer_fits(const vb_tokenizer *tokenizer, const char *text, size_t n, int context_length, bool *fits, vb_error *err);

/* The ids of a text that was cleaned, nothing around them, at most `room`; returns how many, or -1. Thread-safe. */
int vb_tokenizer_cut(const vb_tokenizer *tokenizer, const char *text, size_t n, int room, int32_t *ids, vb_error *err);

#endif
