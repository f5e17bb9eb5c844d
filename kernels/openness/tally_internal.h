/* What a tally is made of, for the figures that are computed from it. Private to kernels/openness/. */
#ifndef VB_TALLY_INTERNAL_H
#define VB_TALLY_INTERNAL_H

#include "kernels/openness/tally.h"

/* Random orders of arrival of the N vocabularies. */
typedef struct vb_order_set {
    int count;
    int *place;       /* place[o * N + u], from 0: when vocabulary u arrives in order o */
    int64_t *changes; /* changes[o * (N + 1) + p]: how many more images are right once the vocabulary at place p is there */
} vb_order_set;

struct vb_tally {
    int classes, vocabularies, entries; /* of the label space */
    vb_protocol protocol;
    int *offsets;
    vb_memberships memberships;
    int *beaten; /* scratch: the vocabularies that beat the image at hand */
    size_t count;
    int64_t *counters;
    /* sections of the counters: */
    int64_t *images;     /* by class */
    int64_t *unbeaten;   /* one */
    int64_t *harm;       /* entries x N: of entry i's class, images right in its vocabulary that b = 0..N-1 others beat */
    int64_t *theft;      /* N x N */
    int64_t *subsets;    /* 2^N: `right` of vb_subsets_mean; NULL beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set unions; /* beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set trials; /* sampled: order t * protocol.trials + k begins with t */
    int64_t *survived;   /* sampled: by entry of the label space, foreign vocabularies that its images survive, over all trials */
};

/* The earliest place of the listed vocabularies; `otherwise` when none is listed. */
static inline int vb_tally_earliest(const int *place, const int *list, int count, int otherwise) {
    int first = otherwise;
    for (int i = 0; i < count; i++)
        if (place[list[i]] < first) first = place[list[i]];
    return first;
}

#endif
