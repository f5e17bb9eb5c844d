/* A search: queries, and for each of them a score that k rows are known to reach. All threads that scan for it share it.
 *
 * The score of row x for query q is x . q (VB_DOT) or x . q / (|x| |q|) (VB_COSINE). What is raised and read here, a "row score",
 * leaves out the factor that all rows of a query share: it is x . q, or x . q / |x|. */
#ifndef VB_SEARCH_H
#define VB_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/exact/hit.h"
#include "kernels/exact/score.h"

typedef struct vb_search vb_search;

/* What a scan met. */
typedef struct vb_scan_counts {
    int64_t rows, not_finite, zero; /* functions of the rows alone */
    int64_t rescored;               /* exact scores computed: depends on the order of events */
} vb_scan_counts;

/* queries: count x dim, row-major; copied. k >= 1: hits wanted a query. Free with vb_search_free. VB_EDATA, naming the row: an
 * element that is not finite, a row of zeros for VB_COSINE. VB_EUNSUPPORTED: more than VB_EXACT_TERMS dimensions, a norm above
 * 2^60. */
int vb_search_new(vb_search **search, const float *queries, int64_t count, int dim, int64_t k, vb_similarity similarity,
                  vb_error *err);
/* NULL is allowed. */
void vb_search_free(vb_search *search);

/* Raises what is known of query q's k-th best row score; a lower one changes nothing. Thread-safe. */
void vb_search_raise(vb_search *search, int64_t query, double score);
/* What is known of it; -infinity at first. Thread-safe. */
double vb_search_floor(const vb_search *search, int64_t query);

/* The score as users see it: x . q or x . q / (|x| |q|) in fp64. */
double vb_search_score(const vb_search *search, int64_t query, const vb_hit *hit);

/* Bytes that a search of so many queries takes. */
size_t vb_search_bytes(int64_t queries, int dim);

#endif
