/* The block of rows that one thread has at hand: their norms and kinds, and the step in which every route of the search ends, an
 * exact score that is offered to a query's list. Private to kernels/search/.
 *
 * A block is set up in two steps: vb_scan_block_begin says where the rows lie, and once the caller has filled in `square` (by
 * the kernel's widen or few), vb_scan_block_note classifies them. */
#ifndef VB_SCAN_BLOCK_H
#define VB_SCAN_BLOCK_H

#include <stdbool.h>

#include "kernels/base/dtype.h"
#include "kernels/exact/topk.h"
#include "kernels/search/scan_kernel.h"
#include "kernels/search/search_internal.h"

typedef enum vb_row_kind {
    VB_ROW_ORDINARY,
    VB_ROW_SKIPPED, /* not finite, or zero where a direction is needed: never listed */
    VB_ROW_BEYOND   /* finite, but its norm is beyond the bounds of the screen: always scored exactly */
} vb_row_kind;

typedef struct vb_scan_block {
    vb_search *search; /* borrowed */
    const vb_scan_kernel *kernel;
    vb_topk topk;
    vb_scan_counts counts;
    float *rows; /* room for `most` widened rows */
    int64_t most;
    /* of the rows at hand */
    const char *stored;
    vb_dtype dtype;
    size_t row_bytes;
    const float *wide; /* the rows widened: all, or, when it is `rows`, those that have been prepared */
    float square[VB_SCAN_ROWS], inverse[VB_SCAN_ROWS]; /* inverse: 1 / norm for cosines, else 1 */
    vb_row_kind kind[VB_SCAN_ROWS];
    double norm[VB_SCAN_ROWS]; /* rounded up; of prepared rows, and of those that are not ordinary */
    int last_bit[VB_SCAN_ROWS];
    bool prepared[VB_SCAN_ROWS];
    double largest; /* norm of the ordinary rows, rounded up */
    bool unusual;   /* not all of the rows are ordinary */
} vb_scan_block;

/* Room for up to `most` <= VB_SCAN_ROWS rows. Free with vb_scan_block_free, also after a failure. */
int vb_scan_block_new(vb_scan_block *block, vb_search *search, int64_t most, vb_error *err);
void vb_scan_block_free(vb_scan_block *block);

/* The rows at hand are from now on those at `stored`. `direct`: they are fp32 of the search's width and aligned, and so are read
 * where they lie. */
void vb_scan_block_begin(vb_scan_block *block, const void *stored, vb_dtype dtype, bool direct);

/* Takes in the squares of the first n rows at hand: kinds, inverse norms, the largest norm. Counts the rows. */
void vb_scan_block_note(vb_scan_block *block, int64_t n);

/* Instead of vb_scan_block_note, after the kernel's few, with what that gave: whether all n rows are ordinary and none is near to
 * a query's list. Then they are counted, and nothing else has to be done about them. Quick, for nearly all blocks are such. */
bool vb_scan_block_pass_over(vb_scan_block *block, int64_t n, const float *squares, const float *scores);

/* What a fp32 score of an ordinary row at hand must reach for the query's list; rounded down. */
float vb_scan_block_threshold(const vb_scan_block *block, int64_t query);
/* Twice the bound on the error of such a score, rounded up: of rows whose scores are further apart the higher one is higher. */
float vb_scan_block_slack(const vb_scan_block *block, int64_t query);

/* Scores row i at hand, which is global row `id`, exactly for the query and offers it to its list. *score (may be NULL): the row
 * score in fp64. VB_EMEMORY. */
int vb_scan_block_offer(vb_scan_block *block, int64_t i, int64_t query, int64_t id, double *score, vb_error *err);

#endif
