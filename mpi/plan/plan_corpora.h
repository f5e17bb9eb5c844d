/* What the corpora of an experiment add to its plan. */
#ifndef VB_PLAN_CORPORA_H
#define VB_PLAN_CORPORA_H

#include "mpi/experiment/experiment.h"

typedef struct vb_corpora_sizes {
    double read_bytes;     /* of all scans, over all ranks */
    int64_t memory_a_rank; /* of the largest scan: below the budget, or a run says what it lacks */
} vb_corpora_sizes;

/* Looks at the corpora that models retrieve from: parts' headers, the index of images. classes: of every dataset of the
 * experiment. print: a line a corpus on the standard output. Captions are not counted, which would mean to read them. Local. */
int vb_plan_corpora(const vb_experiment *experiment, const int64_t *classes, int ranks, bool print, vb_corpora_sizes *sizes,
                    vb_error *err);

#endif
