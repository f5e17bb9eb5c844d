/* SentencePiece's unigram model: the path of pieces of highest score, by Viterbi. Source: google/sentencepiece 0.2.3
 * unigram_model.cc EncodeOptimized; huggingface/tokenizers 0.23 models/unigram. */
#ifndef VB_UNIGRAM_H
#define VB_UNIGRAM_H

#include "kernels/text/piece_sink.h"

/* Cuts n > 0 bytes of UTF-8. Time and memory are linear in n (times the longest piece). */
int vb_unigram_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err);

#endif
