/* A binary heap of pairs. */
#include "kernels/text/pair_heap.h"

#include <stdbool.h>

#include "kernels/base/memory.h"

static bool goes_first(const vb_pair_heap_entry *a, const vb_pair_heap_entry *b) {
    if (a->priority > b->priority) return true;
    return !(b->priority > a->priority) && a->left < b->left;
}

int vb_pair_heap_push(vb_pair_heap *heap, vb_pair_heap_entry entry, vb_error *err) {
    void *items = heap->items;
    if (vb_grow(&items, &heap->capacity, heap->count + 1, sizeof *heap->items, "pairs", err)) return -1;
    heap->items = items;
    size_t i = heap->count++;
    for (; i && goes_first(&entry, &heap->items[(i - 1) / 2]); i = (i - 1) / 2) heap->items[i] = heap->items[(i - 1) / 2];
    heap->items[i] = entry;
    return 0;
}

vb_pair_heap_entry vb_pair_heap_pop(vb_pair_heap *heap) {
    vb_pair_heap_entry *items = heap->items;
    const vb_pair_heap_entry top = items[0], last = items[--heap->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count && goes_first(&items[child + 1], &items[child])) child++;
        if (!goes_first(&items[child], &last)) break;
        items[i] = items[child];
    }
    items[i] = last;
    return top;
}
