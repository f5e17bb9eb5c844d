/* The route for many queries: the rows of a block are coded in 8 bits as they pass by (kernels/search/coder.h, unrotated, around
 * the mean of the first rows seen) and screened with the queries' codes; what the certified bounds leave is scored in fp32, and
 * so on as ever. Private to kernels/search/.
 *
 * Coordinates in which queries are large and rows differ little, as CLIP's embeddings have some, would use up the queries' codes:
 * rows are stretched there, and queries shrunk, by the same power of two, so that both are about even.
 *
 * The bounds of codes that are made in fp32: with f the factor (1, or the inverse norm), f x - m is off by 2^-24 (|f x| + |m|),
 * and for cosines f by the search's radius relatively; all of it times the largest stretch. */
#ifndef VB_SCAN_CODED_H
#define VB_SCAN_CODED_H

#include "kernels/search/scan_block.h"

enum {
    VB_SCAN_CODED_ROWS = 32,   /* that are coded and screened at once: two groups */
    VB_SCAN_CODED_WIDTH = 1024 /* elements of a row, at most: of the kernels' work space, on the stack */
};

/* One thread's codes. */
typedef struct vb_scan_coded vb_scan_coded;

/* Codes the queries around the mean of the first n rows of the block, which have been noted. Free with vb_scan_coded_free. */
int vb_scan_coded_new(vb_scan_coded **coded, const vb_scan_block *block, int64_t n, vb_error *err);
/* NULL is allowed. */
void vb_scan_coded_free(vb_scan_coded *coded);

/* All queries against the n rows of the block, which have been noted and are all ordinary; they are global rows from first_id
 * on. */
int vb_scan_coded_search(vb_scan_coded *coded, vb_scan_block *block, int64_t n, int64_t first_id, vb_error *err);

/* Bytes that vb_scan_coded_new takes. */
size_t vb_scan_coded_bytes(int64_t queries, int dim);

#endif
