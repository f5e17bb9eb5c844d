/* Texts to pieces, whatever the algorithm of the tables. */
#ifndef VB_PIECE_CUT_H
#define VB_PIECE_CUT_H

#include "kernels/text/text_steps.h"

/* The pieces' numbers of n bytes of UTF-8, at most `room`; returns how many, or -1. Thread-safe. */
int vb_piece_cut(const vb_piece_tables *tables, const vb_text_steps *steps, const char *text, size_t n, int room, int32_t *pieces,
                 vb_error *err);

#endif
