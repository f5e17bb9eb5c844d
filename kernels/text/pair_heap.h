/* Pairs of neighbours that may be merged: the highest priority first, of equal ones the leftmost. */
#ifndef VB_PAIR_HEAP_H
#define VB_PAIR_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_pair_heap_entry {
    double priority;
    int32_t left, right; /* places of the neighbours */
    uint32_t a, b;       /* what the owner keeps with them */
} vb_pair_heap_entry;

typedef struct vb_pair_heap {  /* empty: zeroed */
    vb_pair_heap_entry *items; /* the first of all at 0; free with vb_free */
    size_t count, capacity;
} vb_pair_heap;

int vb_pair_heap_push(vb_pair_heap *heap, vb_pair_heap_entry entry, vb_error *err); /* VB_EMEMORY */
vb_pair_heap_entry vb_pair_heap_pop(vb_pair_heap *heap);                            /* of one that is not empty */

#endif
