/* Exact search through certified 8-bit codes: rows that the bound excludes are never read, the others are scored from the
 * original.
 *
 * The query's first plane is multiplied with every row (kernels/search/coded_queries.h); rows that may still be among the k best
 * are multiplied with the second one, which leaves |d2| |s c| + |q| |r|, and kept in a pool while their upper bound reaches the
 * k-th lower bound. All bounds are rounded outwards. */
#ifndef VB_CODED_SCAN_H
#define VB_CODED_SCAN_H

#include "kernels/search/coded_queries.h"
#include "kernels/search/scan.h"

/* Gives a row as it is stored: *row stays valid until the next call. */
typedef int vb_row_reader(void *context, int64_t id, const void **row, vb_dtype *dtype, vb_error *err);

/* One thread's pools. */
typedef struct vb_coded_scan vb_coded_scan;

/* exact: takes the rescored rows; its search provides thresholds. All are borrowed. Free with vb_coded_scan_free; NULL is
 * allowed there. */
int vb_coded_scan_new(vb_coded_scan **scan, const vb_coded_queries *coded, vb_search *search, vb_scan *exact, int64_t k,
                      vb_row_reader *reader, void *reader_context, vb_error *err);
void vb_coded_scan_free(vb_coded_scan *scan);

/* Searches whole groups of rows numbered from first_id. Fails as vb_coded_scan_settle does. */
int vb_coded_scan_groups(vb_coded_scan *scan, const void *groups, int64_t count, int64_t first_id, vb_error *err);

/* Scores what the pools hold from the original rows; the lists of `exact` are complete for all groups searched so far.
 * VB_EMISMATCH when a score lies outside its certified bounds: the codes are not those of these rows. */
int vb_coded_scan_settle(vb_coded_scan *scan, vb_error *err);

/* Rows scored from the original, and the sum of their certified errors; since the scan began. */
void vb_coded_scan_certificate(const vb_coded_scan *scan, int64_t *rescored, double *slack);

/* Bytes that a thread's pools take. */
size_t vb_coded_scan_bytes(int64_t queries, int64_t k);

#endif
