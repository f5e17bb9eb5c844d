/* What queries in codes are made of, for the searches that screen rows with them. Private to kernels/coded_*.c and
 * kernels/search/scan.c. */
#ifndef VB_CODED_QUERIES_H
#define VB_CODED_QUERIES_H

#include "kernels/search/coded_kernel.h"
#include "kernels/search/coded_scan.h"

/* A query in two planes. */
typedef struct vb_coded_query {
    double first_scale, second_scale;
    double norm;                    /* of the query, rounded up */
    double first_left, second_left; /* norms of what the planes leave, rounded up */
    double base, base_slack;        /* <q, m> and its error */
    int32_t second_offset;
} vb_coded_query;

struct vb_coded_queries {
    const vb_coder *coder;
    int64_t count;
    int width;
    vb_coded_query *query;
    int32_t *offset;     /* 128 times the sum of the first plane's codes */
    float *alpha, *beta; /* the screen's factors of residual and norm, in units of first_scale */
    int8_t *panels;      /* first planes, in panels of VB_PANEL queries */
    int8_t *second;      /* second planes, one after the other; the codes of a single query are a panel of one */
    int8_t *first;       /* the same of the first planes */
};

/* What the screen compares with, in its units, for a query whose k-th best score is at least `floor`; rounded down. */
float vb_coded_queries_threshold(const vb_coded_queries *coded, int64_t query, double floor);

/* Called with the rows of one group that may reach the threshold of a query: bit i of pass is row i; first: their products with
 * the first plane; half: 0 or 1, the group's place in the pair. */
typedef int vb_passed(void *context, int64_t query, unsigned pass, const uint8_t *group, const int32_t *first, int half,
                      vb_error *err);

/* Screens one or two groups, which lie behind one another, against all queries. ahead: bytes that are wanted soon, asked for on
 * the way. */
int vb_coded_queries_screen(const vb_coded_queries *coded, const vb_coded_kernel *kernel, const float *thresholds,
                            const uint8_t *groups, int pair, const char *ahead, int64_t ahead_bytes, vb_passed *passed,
                            void *context, vb_error *err);

#endif
