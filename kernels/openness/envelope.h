/* The best and the worst order of arrival: how many images stay right after i foreign vocabularies, over all choices of the i.
 *
 * An image that is right within its own vocabulary stays so while none of the vocabularies that beat it has arrived. Worst is a
 * maximum coverage, best a minimum one. Up to VB_SUBSETS_MAX vocabularies all sets are looked at by a zeta transform
 * (kernels/openness/subsets.h); beyond, greedy choices are given with bounds that no order can pass. */
#ifndef VB_ENVELOPE_H
#define VB_ENVELOPE_H

#include <stdint.h>

#include "kernels/base/error.h"

/* Counts of right images after i = 0 .. vocabularies - 1 arrivals: `worst` and `best` are reached by some choice; no choice
 * leaves fewer than `least` or more than `most`. Exact: worst = least and best = most. */
typedef struct vb_envelope {
    int64_t *worst, *best, *least, *most; /* vocabularies entries each; the caller's */
} vb_envelope;

/* masks: `images` rows of (vocabularies + 63) / 64 words; bit u of a row says that vocabulary u beats the image, which is of
 * vocabulary `own_vocabulary` (whose bit is 0) and right within it. Work space: 8 * 2^vocabularies bytes up to VB_SUBSETS_MAX,
 * else vocabularies * images / 8. */
int vb_envelope_of_orders(const vb_envelope *envelope, const uint64_t *masks, int64_t images, int vocabularies,
                          int own_vocabulary, vb_error *err);

#endif
