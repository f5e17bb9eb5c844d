/* The tables of a tokenizer as one block of bytes without pointers, which any number of processes can map. */
#ifndef VB_TOKENIZER_TABLES_H
#define VB_TOKENIZER_TABLES_H

#include <assert.h>
#include <stdbool.h>

#include "kernels/text/bpe_merge.h"
#include "kernels/text/tokenizer.h"

#define VB_START_TOKEN "<|startoftext|>"
#define VB_END_TOKEN "<|endoftext|>"

/* The block: this, then merge_slots merges (open addressing over left and right, at least one slot free), then ids[symbols]. */
typedef struct vb_bpe_tables {
    uint64_t magic, bytes;           /* of the layout and of the machine's byte order; of the whole block */
    uint32_t merge_slots, symbols;   /* a power of two */
    uint32_t inside[256], last[256]; /* symbols of the bytes, inside of a word and at its end */
    int32_t size, start, end, none;  /* tokens; the two special ones; 0 */
} vb_bpe_tables;
static_assert(sizeof(vb_bpe_tables) == 2088, "cached as it lies in memory");

/* The two arrays behind the head: merge_slots merges, and the ids of all symbols. */
static inline const vb_bpe_merge *vb_tokenizer_tables_merges(const vb_bpe_tables *tables) {
    return (const vb_bpe_merge *)(tables + 1);
}
static inline const int32_t *vb_tokenizer_tables_ids(const vb_bpe_tables *tables) {
    return (const int32_t *)(vb_tokenizer_tables_merges(tables) + tables->merge_slots); /* -1: a symbol that no text gives */
}

/* The letter that stands for a byte in the byte alphabet of merges and vocabularies. */
uint32_t vb_tokenizer_tables_letter(int byte);

/* New blocks from files: as vb_tokenizer_open_bpe and vb_tokenizer_open_pairs. NULL after a failure; free with vb_free. */
vb_bpe_tables *vb_tokenizer_tables_of_merges(const char *merges, size_t size, bool mask_token, const char *name, vb_error *err);
vb_bpe_tables *vb_tokenizer_tables_of_pairs(const vb_vocabulary_entry *entries, size_t count, const char *merges, size_t size,
                                            const char *name, vb_error *err);

/* Whether these bytes are such a block, with every index in it within its bounds. */
bool vb_tokenizer_tables_are_sound(const void *bytes, size_t size);

#endif
