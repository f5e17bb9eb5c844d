/* Exact search of rows for queries: every row is scored in fp32, and those that its error bound cannot exclude exactly.
 *
 * The score of row x for query q is x . q (VB_DOT) or x . q / (|x| |q|) (VB_COSINE), on fp32, fp16 or bf16 rows and fp32 queries
 * as they are stored; lists are ordered as if in real arithmetic, equal scores by ascending row number. Rows that hold a NaN or
 * an infinity are counted and never listed; so are rows of zeros for VB_COSINE, which have no direction (for VB_DOT they score 0
 * like any other).
 *
 * For many queries, where the processor has 8-bit products, rows are coded as they pass by (kernels/search/coder.h), and only
 * those that the codes' certified bound cannot exclude are scored in fp32.
 *
 * Why nothing is missed: with u = 2^-24 a sum of n products in fp32, in whatever order, fused or not, is off by n u / (1 - n u)
 * |x| |q| at most (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3). A row is passed over only when its fp32 score
 * lies further than that below the k-th best exact score found so far. */
#ifndef VB_SCAN_H
#define VB_SCAN_H

#include "kernels/openness/similarity.h"
#include "kernels/base/tensor.h"
#include "kernels/exact/topk.h"

/* What all threads share: the queries, and for each a score that k rows are known to reach. */
typedef struct vb_search vb_search;

/* queries: count x dim, row-major; copied. VB_EDATA, naming the row: an element that is not finite, a row of zeros for VB_COSINE.
 * VB_EUNSUPPORTED: more than VB_EXACT_TERMS dimensions, a norm above 2^60. */
int vb_scan_search_new(vb_search **search, const float *queries, int64_t count, int dim, int64_t k, vb_similarity similarity,
                       vb_error *err);
void vb_scan_search_free(vb_search *search);
/* Raises what is known of query q's k-th best row score (x . q, or x . q / |x|). Thread-safe. */
void vb_scan_search_raise(vb_search *search, int64_t query, double score);
double vb_scan_search_floor(const vb_search *search, int64_t query);
/* The score as users see it: x . q or x . q / (|x| |q|) in fp64. */
double vb_scan_search_score(const vb_search *search, int64_t query, const vb_hit *hit);

typedef struct vb_scan_counts {
    int64_t rows, not_finite, zero; /* functions of the rows alone */
    int64_t rescored;               /* exact scores computed: depends on the order of events */
} vb_scan_counts;

/* One thread's side: work space of about half a MiB, heaps, counts. */
typedef struct vb_scan vb_scan;
int vb_scan_new(vb_scan **scan, vb_search *search, vb_error *err);
void vb_scan_free(vb_scan *scan);
vb_topk *vb_scan_topk(vb_scan *scan);
vb_scan_counts *vb_scan_counted(vb_scan *scan);

/* Searches `count` rows, dim elements each without gaps, numbered from first_id. Fails only for lack of memory. */
int vb_scan_rows(vb_scan *scan, const void *rows, vb_dtype dtype, int64_t count, int64_t first_id, vb_error *err);

/* Scores one row exactly for some queries and offers it to their lists. scores (may be NULL) gets x . q, or x . q / |x|, in fp64
 * within
 * 2^-50 relatively; NaN when the row cannot be listed. */
int vb_scan_row(vb_scan *scan, const void *row, vb_dtype dtype, int64_t id, const int64_t *queries, int64_t count, double *scores,
                vb_error *err);

/* Bytes that a search of so many queries needs: shared, and a thread. */
size_t vb_scan_search_bytes(int64_t queries, int dim);
size_t vb_scan_bytes(int64_t queries, int dim, int64_t k);

#endif
