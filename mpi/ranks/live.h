/* What a run tells while it goes on: the pair in hand, the stages that it has gone through, and how far the whole is.
 *
 * One for a group of ranks, in its context; rank 0 of the group keeps it, the others have none. */
#ifndef VB_LIVE_H
#define VB_LIVE_H

#include <stdbool.h>
#include <stdint.h>

enum { VB_LIVE_STAGES = 64, VB_LIVE_NAME = 48 };

/* A stage of the pair in hand: one that comes again adds up. */
typedef struct vb_live_stage {
    char name[VB_LIVE_NAME], unit[16];
    int64_t done, total; /* of all ranks together */
    double seconds;
    bool ended;
} vb_live_stage;

typedef struct vb_live vb_live;
struct vb_live {
    double started; /* vb_live_now: of the run's pairs */
    /* Estimated work, in any unit: of all pairs that this group takes, as far as one can say; of those it has finished; of the
     * one in hand, and which share of that is done. */
    double all, finished, pair, share;
    vb_live_stage stages[VB_LIVE_STAGES];
    int count;
    double next; /* when to call */
    /* Or NULL: called with `where` by a stage's steps, two seconds after a pair has begun, then every ten. */
    void (*note)(const vb_live *live, void *where);
    void *where;
};

enum { VB_LIVE_FIRST = 2, VB_LIVE_EVERY = 10 };

/* Seconds of a clock that only runs forward. */
double vb_live_now(void);

/* A pair of so much work begins: the stages are forgotten. */
void vb_live_begin(vb_live *live, double work);
void vb_live_end(vb_live *live); /* it is finished */

/* The pair's stage of that name, or a new one; NULL beyond VB_LIVE_STAGES. */
vb_live_stage *vb_live_stage_of(vb_live *live, const char *name, const char *unit);
/* Seconds until the run ends at the rate so far; below 0: not known yet. */
double vb_live_seconds_left(const vb_live *live);

#endif
