/* BERT's WordPiece: words without accents, cut greedily into the longest pieces. Sources: google-research/bert tokenization.py;
 * huggingface/tokenizers 0.23 normalizers/bert.rs, pre_tokenizers/bert.rs, models/wordpiece. */
#ifndef VB_WORDPIECE_H
#define VB_WORDPIECE_H

#include "kernels/text/piece_sink.h"

/* Cuts n bytes of UTF-8: controls go, spaces round Chinese characters, NFD without marks and lower case (unless the tables keep
 * case), words and punctuation apart. A word that cannot be cut, or of too many characters, is one unknown piece. */
int vb_wordpiece_cut(vb_piece_sink *sink, const char *text, size_t n, vb_error *err);

#endif
