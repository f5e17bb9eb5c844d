/* The way of a text to what is cut into pieces: SentencePiece's normaliser; Hugging Face's normalizers and pre-tokenizers.
 *
 * Sources: google/sentencepiece 0.2.3 normalizer.cc; huggingface/tokenizers 0.23 normalizers/, pre_tokenizers/;
 * spm_precompiled. */
#ifndef VB_TEXT_STEPS_H
#define VB_TEXT_STEPS_H

#include "kernels/text/piece_tables.h"

enum { VB_TEXT_BREAK = 0xff }; /* between parts that are cut apart; no byte of UTF-8 */

typedef struct vb_byte_text {
    char *bytes;
    size_t count, capacity;
} vb_byte_text; /* {0} is empty; free bytes with vb_free */

typedef struct vb_text_steps vb_text_steps;

/* Compiles the patterns of a block's steps. The block must outlive it. VB_EDATA: a pattern that PCRE2 refuses. */
int vb_text_steps_open(vb_text_steps **steps, const vb_piece_tables *tables, vb_error *err);
void vb_text_steps_close(vb_text_steps *steps); /* NULL is fine */

/* n bytes of valid UTF-8 through all steps; *out is replaced. begins: they are the beginning of their text. Thread-safe. */
int vb_text_steps_run(const vb_text_steps *steps, const char *text, size_t n, bool begins, vb_byte_text *out, vb_error *err);

#endif
