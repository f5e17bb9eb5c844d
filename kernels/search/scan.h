/* Exact search of rows for queries: every row is scored in fp32, and those that its error bound cannot exclude exactly.
 *
 * Scores as in kernels/search/search.h, on fp32, fp16 or bf16 rows and fp32 queries as they are stored; lists are ordered as if
 * in real arithmetic, equal scores by ascending row number. Rows that hold a NaN or an infinity are counted and never listed; so
 * are rows of zeros for VB_COSINE, which have no direction (for VB_DOT they score 0 like any other).
 *
 * For many queries, where products of 8 bits are faster by more than coding a row costs (kernels/search/scan_route.h), rows are
 * coded as they pass by (kernels/search/scan_coded.h), and only those that the codes' certified bound cannot exclude are scored
 * in fp32.
 *
 * Why nothing is missed: with u = 2^-24 a sum of n products in fp32, in whatever order, fused or not, is off by n u / (1 - n u)
 * |x| |q| at most (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3). A row is passed over only when its fp32 score
 * lies further than that below the k-th best exact score found so far. */
#ifndef VB_SCAN_H
#define VB_SCAN_H

#include "kernels/base/dtype.h"
#include "kernels/exact/topk.h"
#include "kernels/search/search.h"

/* One thread's side of a search: work space of about half a MiB, heaps, counts. */
typedef struct vb_scan vb_scan;

/* search: borrowed. Free with vb_scan_free; NULL is allowed there. */
int vb_scan_new(vb_scan **scan, vb_search *search, vb_error *err);
void vb_scan_free(vb_scan *scan);

/* The lists and the counts of this thread; the scan's. */
vb_topk *vb_scan_topk(vb_scan *scan);
vb_scan_counts *vb_scan_counted(vb_scan *scan);

/* Searches `count` rows, dim elements each without gaps, numbered from first_id. Fails only for lack of memory. */
int vb_scan_rows(vb_scan *scan, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err);

/* Scores one row exactly for some queries and offers it to their lists. scores (may be NULL) gets x . q, or x . q / |x|, in fp64
 * within 2^-50 relatively; NaN when the row cannot be listed. */
int vb_scan_row(vb_scan *scan, const void *row, vb_dtype dtype, int64_t id, const int64_t *queries, int64_t count, double *scores,
                vb_error *err);

/* For kernels/search/ alone: its block (kernels/search/scan_block.h). */
struct vb_scan_block *vb_scan_its_block(vb_scan *scan);

/* Bytes that a thread's side takes. */
size_t vb_scan_bytes(int64_t queries, int dim, int64_t k);

#endif
