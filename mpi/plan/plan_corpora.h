/* What the corpora of an experiment add to its plan. */
#ifndef VB_PLAN_CORPORA_H
#define VB_PLAN_CORPORA_H

#include "mpi/experiment/experiment.h"
#include "mpi/plan/plan_time.h"

typedef struct vb_corpora_request {
    const int64_t *classes;     /* of every dataset of the experiment */
    const vb_plan_rates *rates; /* of every model */
    int ranks;
    bool print; /* a line a corpus on the standard output */
} vb_corpora_request;

typedef struct vb_corpora_sizes {
    double read_bytes;     /* of all scans, over all ranks */
    double seconds;        /* of one rank: rows encoded, and compared */
    int64_t memory_a_rank; /* of the largest scan: below the budget, or a run says what it lacks */
    int64_t pieces;        /* that the largest corpus can be cut into */
} vb_corpora_sizes;

/* Looks at the corpora that models retrieve from: parts' headers, the index of images, the lines of captions (of files beyond 256
 * MiB as many as their size lets expect). Local. */
int vb_plan_corpora(const vb_experiment *experiment, const vb_corpora_request *request, vb_corpora_sizes *sizes, vb_error *err);

#endif
