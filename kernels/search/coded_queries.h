/* Queries in 8 bits, for the searches that screen coded rows with them. Private to kernels/search/, but for the queries as a
 * whole.
 *
 * A query is coded in two planes of 8 bits, or of fewer where the level multiplies those faster (kernels/search/coded_kernel.h):
 * y = s1 c1 + d1 = s1 c1 + s2 c2 + d2 (y = H q as in kernels/search/coder.h). The first plane alone is multiplied with every row:
 *
 *     |<q, u> - <q, m> - s s1 <c1, c>| <= |d1| |s c| + |y| |r|. */
#ifndef VB_CODED_QUERIES_H
#define VB_CODED_QUERIES_H

#include "kernels/search/coded_kernel.h"

/* The queries of a search in codes. Immutable: shared by all threads. */
typedef struct vb_coded_queries vb_coded_queries;

/* queries: as given to vb_search_new, count x dim. coder: borrowed until the scans are free. That coder and search have the same
 * similarity is the caller's to see to. Free with vb_coded_queries_free; NULL is allowed there. */
int vb_coded_queries_new(vb_coded_queries **coded, const vb_coder *coder, const float *queries, int64_t count, vb_error *err);
void vb_coded_queries_free(vb_coded_queries *coded);

/* Bytes that so many queries take. */
size_t vb_coded_queries_bytes(int64_t queries, int dim);

/* A query in two planes. */
typedef struct vb_coded_query {
    double first_scale, second_scale;
    double norm, turned;            /* of the query and of y, rounded up */
    double first_left, second_left; /* norms of what the planes leave, rounded up */
    double base, base_slack;        /* <q, m> and its error */
    int32_t second_offset;
} vb_coded_query;

struct vb_coded_queries {
    const vb_coder *coder;
    int64_t count;
    int width;
    const vb_coded_kernel *kernel; /* whose products the planes are made for */
    vb_coded_query *query;
    int32_t *offset;     /* 128 times the sum of the first plane's codes */
    float *alpha, *beta; /* the screen's factors of residual and norm, in units of first_scale */
    int8_t *panels;      /* first planes, in panels of VB_CODED_PANEL queries */
    int8_t *second;      /* second planes, one after the other */
};

/* What the screen compares with, in its units, for a query whose k-th best score is at least `floor`; rounded down. */
float vb_coded_queries_threshold(const vb_coded_queries *coded, int64_t query, double floor);

/* Called with the rows of one group that may reach the threshold of a query: bit i of pass is row i; first: their products with
 * the first plane; half: 0 or 1, the group's place in the pair. */
typedef int vb_passed(void *context, int64_t query, unsigned pass, const uint8_t *group, const int32_t *first, int half,
                      vb_error *err);

/* Groups of coded rows that are screened together. */
typedef struct vb_coded_groups {
    const uint8_t *groups; /* one behind the other */
    int count;             /* 1 or 2 */
    const char *ahead;     /* ahead_bytes that are wanted soon, asked for on the way */
    int64_t ahead_bytes;
} vb_coded_groups;

/* Screens the groups against all queries; thresholds: one a query. Fails when `passed` does. */
int vb_coded_queries_screen(const vb_coded_queries *coded, const float *thresholds, const vb_coded_groups *groups,
                            vb_passed *passed, void *context, vb_error *err);

#endif
