/* The order in which texts are computed so that equal ones, and equal beginnings, stand beside each other. */
#ifndef VB_TEXT_ORDER_H
#define VB_TEXT_ORDER_H

#include <stddef.h>

#include "kernels/towers/text_input.h"

/* Of place i in the order: its text; how many of its rows are computed if nothing is shared; how many of its first ones are
 * those of the text one place before (0 at place 0; all of them: the texts are equal). */
typedef struct vb_text_order {
    int64_t *text;
    int *length, *shared;
    size_t capacity; /* texts that there is room for */
} vb_text_order;

/* The n texts from `first` on by their rows, one after the other: tokens by id, learned vectors by their values, what is hidden
 * apart from what is seen. Equal texts by their number. So of all texts that have rows 0 .. r in common each but the first
 * finds them one place before. An order is all zeros before it is made; made again, it keeps its memory where that is enough.
 * Fails for lack of memory, and is all zeros then. */
int vb_text_order_make(vb_text_order *order, const vb_text_input *input, int64_t first, int64_t n, vb_error *err);
void vb_text_order_free(vb_text_order *order);

/* Bytes of the order of n texts. */
size_t vb_text_order_bytes(int64_t n);

#endif
