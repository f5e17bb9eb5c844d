/* OpenAI's byte-pair encoding of cleaned texts, over the tables of tokenizer_tables.h. Source: CLIP's simple_tokenizer.py. */
#ifndef VB_OPENAI_BPE_H
#define VB_OPENAI_BPE_H

#include "kernels/text/tokenizer_tables.h"

typedef struct vb_openai_bpe vb_openai_bpe;

/* The tables must outlive it. */
int vb_openai_bpe_open(vb_openai_bpe **bpe, const vb_bpe_tables *tables, vb_error *err);
void vb_openai_bpe_close(vb_openai_bpe *bpe); /* NULL is fine */

/* Ids of a cleaned text's words, at most `room`; returns how many, or -1. Thread-safe. */
int vb_openai_bpe_cut(const vb_openai_bpe *bpe, const char *clean, size_t n, int room, int32_t *ids, vb_error *err);

#endif
