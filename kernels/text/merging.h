/* Byte-pair encoding of pieces: neighbours merge, the best pair first, until none does. Sources: google/sentencepiece 0.2.3
 * bpe_model.cc SampleEncode; huggingface/tokenizers 0.23 models/bpe/word.rs merge_all. */
#ifndef VB_MERGING_H
#define VB_MERGING_H

#include "kernels/text/piece_sink.h"

/* Cuts n > 0 bytes of UTF-8. A heap holds the pairs: n log n steps at most. */
int vb_merging_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err);

#endif
