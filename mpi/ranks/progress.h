/* Progress of a stage: what is done of all, at which rate, and the time to go, of the stage and of the run.
 *
 * At a terminal one line that rewrites itself, by rank 0 of the program alone, also under mpirun (shards/files/tty.h); elsewhere
 * sparse lines with the time of day, by rank 0 of every group. Silent for what takes less than two seconds. */
#ifndef VB_PROGRESS_H
#define VB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "mpi/ranks/context.h"

typedef struct vb_progress {
    bool counts, prints;
    int tty;                         /* -1: none */
    const char *stage, *what, *unit; /* "evaluate", "tiny / cifar100", "images" */
    int64_t done, total;             /* of this rank */
    int64_t whole;                   /* of all ranks */
    double start, shown;
    int tenths;
    bool drawn; /* a line stands at the terminal */
    vb_live *live;
    bool measures; /* the share of the pair's work that is done is this stage's: see vb_progress_measures */
} vb_progress;

/* whole: items of all ranks of the context together, of which each has about the same; 0: nobody knows how many, and steps are
 * counted of all ranks. The texts must outlive the progress. Text
 * goes to stderr. Local; every start has its end. */
void vb_progress_start(vb_progress *progress, vb_context *context, const char *stage, const char *what, const char *unit,
                       int64_t whole);
/* This stage is most of its pair's work: the run's time to go follows it. */
void vb_progress_measures(vb_progress *progress);
/* Only so many of the ranks, of which rank 0 is one, have a part. */
void vb_progress_by(vb_progress *progress, int ranks);
/* Every item is all ranks' work: steps count for all of them. */
void vb_progress_together(vb_progress *progress);
void vb_progress_step(vb_progress *progress, int64_t items); /* of this rank */
void vb_progress_end(vb_progress *progress);

#endif
