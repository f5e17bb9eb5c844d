/* The k best hits of each query: bounded heaps whose content does not depend on the order in which hits arrive.
 *
 * vb_hit_before is a total order over distinct rows, so that merging is commutative and associative: any division of the rows
 * among threads, ranks and runs ends in the same lists. Not thread-safe: one vb_topk a thread. */
#ifndef VB_TOPK_H
#define VB_TOPK_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/exact/hit.h"
#include "kernels/base/error.h"

typedef struct vb_topk {
    int64_t queries, k;
    vb_hit *hits; /* those of query q begin at q * k: a heap with the worst on top, or after vb_topk_sort the list, best first */
    int64_t *count; /* of each query, at most k */
} vb_topk;

/* Memory: queries * k * sizeof(vb_hit), touched only as hits arrive. */
int vb_topk_new(vb_topk *topk, int64_t queries, int64_t k, vb_error *err);
/* Leaves *topk empty; also frees what the hits own. */
void vb_topk_free(vb_topk *topk);

/* The hit that a newcomer must be ranked before; NULL while there is room for anybody. */
const vb_hit *vb_topk_worst(const vb_topk *topk, int64_t query);

/* Keeps the hit if it is among the k best so far. Its `wide` is taken over and freed when it is not. A row may be offered
 * once. */
void vb_topk_offer(vb_topk *topk, int64_t query, vb_hit hit);

/* Moves all hits of `from` over; equal shapes. */
void vb_topk_merge(vb_topk *topk, vb_topk *from);

/* Best first. No offers afterwards. */
void vb_topk_sort(vb_topk *topk);

/* Queries first .. first + queries - 1 as bytes, in the machine's own byte order, appended to *bytes (vb_grow's array). */
int vb_topk_pack(const vb_topk *topk, int64_t first, int64_t queries, unsigned char **bytes, size_t *size, size_t *capacity,
                 vb_error *err);

/* Offers what vb_topk_pack wrote for as many queries, from query `first` on. VB_EDATA when the bytes are none of that. */
int vb_topk_unpack(vb_topk *topk, int64_t first, int64_t queries, const unsigned char *bytes, size_t size, vb_error *err);

#endif
