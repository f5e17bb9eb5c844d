/* Checkpoints of a scan: which blocks are finished, and the hits found in them, one file a rank and run. */
#ifndef VB_SCAN_STATE_H
#define VB_SCAN_STATE_H

#include "kernels/search/scan.h"
#include "shards/files/digest.h"
#include "kernels/base/strings.h"

/* A file holds the blocks that one rank has finished in one run (generation), so that files of any number of runs and ranks hold
 * disjoint blocks and their hits merge in any order. Named KEY.GENERATION.RANK.scan; the key is a digest of all that the hits
 * depend on. */
typedef struct vb_scan_state {
    const char *folder; /* NULL: no checkpoints */
    vb_digest key;
    int64_t blocks; /* of the whole corpus */
    int generation; /* of this run */
} vb_scan_state;

/* Looks for files of this key: sets finished[b] to 1 for every block b they hold, lists them in *paths, adds up their counts, and
 * sets the generation. Damaged files are passed over: their blocks will be scanned again. Local. */
int vb_scan_state_find(vb_scan_state *state, uint8_t *finished, vb_strings *paths, vb_scan_counts *counts, int64_t queries,
                       int64_t k, vb_error *err);

/* Replaces this rank's file: mine[0..count-1] are the blocks finished in this run. Local. */
int vb_scan_state_write(const vb_scan_state *state, int rank, const int64_t *mine, int64_t count, const vb_scan_counts *counts,
                        const vb_topk *topk, vb_error *err);

/* Offers the hits of a file that vb_scan_state_find listed. Local. */
int vb_scan_state_load(const char *path, vb_topk *topk, vb_error *err);

/* Removes all files of this key, and the folder if it is empty then. Local. */
void vb_scan_state_remove(const vb_scan_state *state);

#endif
