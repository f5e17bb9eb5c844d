/* Texts in their order (text_order.h) as the items of a piece (piece.h): equal ones are one item, and in causal towers an item
 * has only the rows that the one before has not. What both engines do with texts. */
#ifndef VB_TEXT_PIECE_H
#define VB_TEXT_PIECE_H

#include "kernels/towers/piece.h"
#include "kernels/towers/text_order.h"

/* Texts that are put in order at a time, which bounds what their order and their paths take: items of a piece, at most. */
enum { VB_TEXT_PIECE_TEXTS = 512 };

/* Takes as many of the n texts from place `from` on as fit into the work space: at least one. Sets count, starts, places and,
 * where piece->rows is not NULL, rows; which texts they are goes to `items`. Returns the place behind them. */
int64_t vb_text_piece_take(vb_piece *piece, const vb_text_order *order, int64_t from, int64_t n, size_t capacity, int64_t *items);

/* The piece's results `found`, an item each, to the texts from place `from` to `end`, whose rows in `out` go by number. */
void vb_text_piece_hand_out(const vb_piece *piece, const vb_text_order *order, int64_t from, int64_t end, const float *found,
                            float *out);

#endif
