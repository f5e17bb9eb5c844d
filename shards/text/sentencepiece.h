/* SentencePiece's model files: a protocol buffer of pieces, trainer's and normalizer's settings. Source: google/sentencepiece
 * 0.2.3 sentencepiece_model.proto. */
#ifndef VB_SENTENCEPIECE_H
#define VB_SENTENCEPIECE_H

#include "kernels/text/tokenizer.h"

/* Whether bytes begin as such a file does: with a piece. */
bool vb_sentencepiece_begins(const uint8_t *bytes, size_t size);

/* A tokenizer from such a file's bytes. VB_EDATA: no such file, or a broken one (a truncated message, no unknown piece, pieces
 * that are there twice, ...); VB_EUNSUPPORTED: a model of words or characters, white space behind words. */
int vb_sentencepiece_read(vb_tokenizer **tokenizer, const uint8_t *bytes, size_t size, const char *name, vb_error *err);

#endif
