/* Progress of a stage: one line that rewrites itself on a terminal, sparse log lines elsewhere. Rank 0 only; silent on the
 * others. */
#ifndef VB_PROGRESS_H
#define VB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct vb_progress {
    bool prints, terminal;
    const char *stage, *what, *unit; /* "encode", "tiny / cifar100", "images" */
    int64_t done, total;
    double scale; /* ranks: rank 0's share is taken for all */
    double start, shown;
    int tenths;
} vb_progress;

/* Text goes to stderr. `total` and `done` count this rank's items; rates are shown for `ranks` ranks. */
void vb_progress_start(vb_progress *progress, int rank, int ranks, const char *stage, const char *what, const char *unit,
                       int64_t total);
void vb_progress_step(vb_progress *progress, int64_t items);
void vb_progress_end(vb_progress *progress);

#endif
