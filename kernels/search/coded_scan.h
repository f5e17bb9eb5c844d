/* Exact search through certified 8-bit codes: rows that the bound excludes are never read, the others are scored from the
 * original.
 *
 * The query is coded too, in two planes of 8 bits: y = s1 c1 + d1 = s1 c1 + s2 c2 + d2. The first plane alone is multiplied with
 * every row,
 * |<q, u> - <q, m> - s s1 <c1, c>| <= |d1| |s c| + |q| |r|; rows that may still be among the k best are multiplied with the
 * second one, which leaves |d2| |s c| + |q| |r|, and kept in a pool while their upper bound reaches the k-th lower bound. All
 * bounds are rounded outwards. */
#ifndef VB_CODED_SCAN_H
#define VB_CODED_SCAN_H

#include "kernels/search/coder.h"
#include "kernels/search/scan.h"

/* The queries of a search in codes. Immutable: shared by all threads. */
typedef struct vb_coded_queries vb_coded_queries;
/* queries: as given to vb_scan_search_new, count x dim. coder: borrowed until the scans are free. VB_EMISMATCH: coder and search
 * of different similarities are the caller's to find. */
int vb_coded_queries_new(vb_coded_queries **coded, const vb_coder *coder, const float *queries, int64_t count, vb_error *err);
void vb_coded_queries_free(vb_coded_queries *coded);

/* Gives a row as it is stored: *row stays valid until the next call. */
typedef int vb_row_reader(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err);

/* One thread's pools. */
typedef struct vb_coded_scan vb_coded_scan;
/* exact: takes the rescored rows; its search provides thresholds. Both are borrowed. */
int vb_coded_scan_new(vb_coded_scan **scan, const vb_coded_queries *coded, vb_search *search, vb_scan *exact, int64_t k,
                      vb_row_reader *reader, void *reader_context, vb_error *err);
void vb_coded_scan_free(vb_coded_scan *scan);

/* Searches whole groups of rows numbered from first_id. */
int vb_coded_scan_groups(vb_coded_scan *scan, const void *groups, int64_t count, int64_t first_id, vb_error *err);

/* Scores what the pools hold from the original rows; the lists of `exact` are complete for all groups searched so far.
 * VB_EMISMATCH when a score lies outside its certified bounds: the codes are not those of these rows. */
int vb_coded_scan_settle(vb_coded_scan *scan, vb_error *err);

/* Rows scored from the original, and the sum of their certified errors; since the scan began. */
void vb_coded_scan_certificate(const vb_coded_scan *scan, int64_t *rescored, double *slack);

size_t vb_coded_queries_bytes(int64_t queries, int dim);
size_t vb_coded_scan_bytes(int64_t queries, int64_t k);

#endif
