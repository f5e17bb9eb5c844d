/* Groups of ranks that work side by side: the world split into parts, and a queue from which each takes the next item. */
#ifndef VB_GROUPS_H
#define VB_GROUPS_H

#include "mpi/ranks/context.h"

typedef struct vb_groups {
    vb_context *world;
    vb_context context; /* of this rank's group, for everything that is collective over it; its rank 0 is the group's leader */
    int count, mine;    /* groups in all; this rank's */
    int64_t items;      /* in the queue */
    MPI_Win window;     /* the queue's counter, in the memory of the world's rank 0 */
    int64_t taken;      /* the counter of a single group, which needs no window */
    double started;     /* vb_live_now at the opening */
    double taken_at, busy, idle;
} vb_groups;

/* How many groups for so many ranks when none may have more than ranks_per_group. Local. */
int vb_groups_of_size(int ranks, int64_t ranks_per_group);

/* How many groups finish `count` items soonest when they are taken in the order given. costs[i]: of item i, in any unit;
 * parts[i]: into how many pieces a group can divide it. *idle (may be NULL) is the share of the ranks' time in which that leaves
 * them without work. groups: as many as this, or 0 to choose. Local. */
int vb_groups_plan(const double *costs, const int64_t *parts, int count, int ranks, int groups, double *idle, vb_error *err);

/* The ranks of group g: [*first, *first + count). Neighbours stay together, so that a group lies on few nodes. Local. */
int vb_groups_ranks(int ranks, int groups, int g, int *first);

/* Splits the world into `count` groups with a queue of `items`. Collective over the world, as is the closing. */
int vb_groups_open(vb_groups *groups, vb_context *world, int count, int64_t items, vb_error *err);
/* The number of the next item; *item == items when there is none. Collective over the group. */
int vb_groups_next(vb_groups *groups, int64_t *item, vb_error *err);
/* Waits for the other groups, without using a core, while it looks for signals and alarms; then agrees on the status of all. Sets
 * busy and idle (seconds of this group). Collective over the world. */
int vb_groups_wait(vb_groups *groups, int status, vb_error *err);
/* Bytes sent and received by the groups are added to the world's. Nothing to do for what was never opened. */
void vb_groups_close(vb_groups *groups);

#endif
