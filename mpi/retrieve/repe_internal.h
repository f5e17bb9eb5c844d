/* The state of REPE for one pair, and what its parts read from it. Private to mpi/retrieve/. */
#ifndef VB_REPE_INTERNAL_H
#define VB_REPE_INTERNAL_H

#include "mpi/retrieve/cross_fit.h"
#include "mpi/retrieve/repe_stage.h"
#include "mpi/retrieve/retrieve.h"

/* Everything between the steps; all ranks hold the same. */
typedef struct vb_repe_work {
    vb_context *context;
    const vb_repe_job *job;
    const vb_pair *pair; /* the job's */
    const vb_retrieval_spec *settings;
    const vb_corpus_spec *corpus_spec;
    const vb_model *model;       /* of the captions; NULL for precomputed embeddings */
    const vb_model *index_model; /* of the queries and the corpus' images */
    vb_encoding how;             /* with `model` */
    vb_corpus_parts corpus;
    int classes, dim;
    float *queries; /* classes x the corpus' dimensions, and how they are asked */
    vb_retrieve_options options;
    vb_retrieve_summary summary; /* on rank 0 */
    int64_t depth;               /* rows a class */
    int64_t *ids;                /* classes x depth */
    double *scores;
    int64_t unique_count, *unique; /* distinct ids, ascending */
    const char **captions;         /* of the unique ids; NULL where there are none */
    const char **odd;              /* why a caption cannot be used, which is then never kept; NULL each where it can */
    int64_t odd_count;
    char *caption_block;
    uint8_t *kept;      /* classes x depth: passes the filter and is no duplicate */
    float *rows;        /* unique_count x dim: embeddings of captions; zero where none is needed */
    vb_cross_fit cross; /* only with VB_SELECT_CROSS */
} vb_repe_work;

/* Settings are numbered in the order of the results: every lambda of a top_k, then those of the next. */
static inline int64_t vb_repe_top_k(const vb_repe_work *work, int setting) {
    return work->settings->top_k[setting / work->settings->lambda_count];
}
static inline double vb_repe_lambda(const vb_repe_work *work, int setting) {
    return work->settings->lambda[setting % work->settings->lambda_count];
}

/* Where an id stands in `unique`; it is there. */
static inline int64_t vb_repe_place(const vb_repe_work *work, int64_t id) {
    int64_t low = 0, high = work->unique_count - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (work->unique[middle] < id) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Whether position i of a class counts for top_k: among the first top_k rows, or, with a depth of its own, among the first top_k
 * kept ones. */
static inline int64_t vb_repe_kept_rows(const vb_repe_work *work, int class, int64_t top_k, const float **selected) {
    bool deep = work->settings->depth_given;
    int64_t n = 0;
    for (int64_t i = 0; i < work->depth && (deep ? n < top_k : i < top_k); i++) {
        if (!work->kept[class * work->depth + i]) continue;
        if (selected) selected[n] = work->rows + vb_repe_place(work, work->ids[class * work->depth + i]) * work->dim;
        n++;
    }
    return n;
}

#endif
