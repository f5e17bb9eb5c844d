/* Several pairs of models compared at once, and their p-values corrected for how many there are. Local. */
#ifndef VB_COMPARE_PAIRS_H
#define VB_COMPARE_PAIRS_H

#include "mpi/results/compare_runs.h"

/* Two results on one dataset; names are the pair's. The figures are means over vocabularies; their `holm` is over all pairs. */
typedef struct vb_compared_pair {
    char *models[2], *dataset;
    int64_t images;
    vb_compared figure[VB_FIGURES];
} vb_compared_pair;

typedef struct vb_compare_pairs {
    vb_compared_pair *pair;
    int count;
    bool one_folder; /* A and B are the same results: every two of them, once */
    int64_t trials, seed;
} vb_compare_pairs;

/* Every result of A against every one of B on a dataset of that name; within one folder every two models, in the order of the
 * results. Of the request, models must be NULL; datasets[0] chooses one. Each pair must be comparable as by
 * vb_compare_runs_open, whose errors name it. VB_EUSAGE where there is no pair. Close also after a failure. */
int vb_compare_pairs_open(vb_compare_pairs *pairs, const vb_compare_request *request, vb_error *err);
void vb_compare_pairs_close(vb_compare_pairs *pairs);

/* Everything in full precision: schema vocabench.compare_pairs/1. */
int vb_compare_pairs_write(const vb_compare_pairs *pairs, const char *path, vb_error *err);

#endif
