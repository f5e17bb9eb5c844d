/* Images by their class and by the sets of vocabularies among which they are right, as integers: a table that ranks add up.
 *
 * Of what has come, S, the images with `members` H belong to it when S meets H; an image is right when, for one of its events, S
 * misses the first set of the event and meets the second: the first are the vocabularies that end it, the second these and those
 * that begin it. An image of one class that B beats has one event, B and B with H. */
#ifndef VB_HARM_SETS_H
#define VB_HARM_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* Sets of up to 32 vocabularies are words. */
typedef struct vb_harm_sets {
    uint32_t *words; /* records, one behind the other */
    size_t used, capacity;
    size_t sorted; /* words that are in order, each kind of image once */
    bool failed;   /* memory: the table is of no use */
} vb_harm_sets;

/* Images of one kind. sets: two words an event. */
typedef struct vb_harm_kind {
    int class;
    uint32_t members;
    const uint32_t *sets;
    int events;
    int64_t images;
} vb_harm_kind;

/* A lack of memory is told by vb_harm_sets_end. */
void vb_harm_sets_add(vb_harm_sets *table, const vb_harm_kind *kind);

/* Puts the table in its one order: by class, members, events. VB_EMEMORY, also of an earlier addition. */
int vb_harm_sets_end(vb_harm_sets *table, vb_error *err);

/* Adds what vb_harm_sets_end left in another table, `size` bytes at `words`; end it again. VB_EINTERNAL for what is none. */
int vb_harm_sets_merge(vb_harm_sets *table, const void *words, size_t size, vb_error *err);

/* The record at word *at, which moves behind it; false at the end. */
bool vb_harm_sets_next(const vb_harm_sets *table, size_t *at, vb_harm_kind *kind);

/* The bytes of a table of so many images, of so many events each (1 where they have one class), at most, while it is put in
 * order. */
int64_t vb_harm_sets_bytes(int64_t images, int64_t events);

void vb_harm_sets_free(vb_harm_sets *table);

#endif
