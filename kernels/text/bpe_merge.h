/* Merges of byte-pair encodings: a hash table over pairs of symbols. */
#ifndef VB_BPE_MERGE_H
#define VB_BPE_MERGE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define VB_NO_SYMBOL UINT32_MAX

typedef struct vb_bpe_merge {
    uint32_t left, right, rank, product;
} vb_bpe_merge; /* left VB_NO_SYMBOL: free slot */
static_assert(sizeof(vb_bpe_merge) == 16, "cached as it lies in memory");

/* The slot of a pair in an open-addressing table of `slots` merges: its own, or the free one where it would go. */
static inline size_t vb_bpe_merge_slot(const vb_bpe_merge *merges, uint32_t slots, uint32_t left, uint32_t right) {
    uint64_t key = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
    size_t mask = slots - 1, i = (size_t)(key >> 32) & mask;
    while (merges[i].left != VB_NO_SYMBOL && (merges[i].left != left || merges[i].right != right)) i = (i + 1) & mask;
    return i;
}

#endif
