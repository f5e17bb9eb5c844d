/* What a tally is made of, for the figures that are computed from it. Private to kernels/openness/. */
#ifndef VB_TALLY_INTERNAL_H
#define VB_TALLY_INTERNAL_H

#include "kernels/openness/tally.h"

enum {
    /* 1 / (b + 1) of a class's images is summed in units of 2^-VB_TALLY_SHARE_BITS: integers, so that the order of summation does
     * not matter; off by half a unit an image at most, and room for VB_TALLY_CLASS_IMAGES images a class. */
    VB_TALLY_SHARE_BITS = 38,
    VB_TALLY_CLASS_IMAGES = 1 << 25
};

/* Random orders of arrival of the N vocabularies. */
typedef struct vb_order_set {
    int count;
    int *place;       /* place[o * N + u], from 0: when vocabulary u arrives in order o */
    int64_t *changes; /* changes[o * (N + 1) + p]: how many more images are right once the vocabulary at place p is there */
} vb_order_set;

struct vb_tally {
    int classes, vocabularies;
    vb_protocol protocol;
    int *offsets; /* of the label space */
    vb_memberships homes;
    int *beaten; /* scratch: the vocabularies that beat the image at hand */
    size_t count;
    int64_t *counters;
    /* sections of the counters: */
    int64_t *images, *right, *share; /* by class */
    int64_t *unbeaten;               /* one */
    int64_t *harm, *theft;           /* N x N */
    int64_t *subsets;                /* 2^N: `right` of vb_subsets_mean; NULL beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set unions;             /* beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set trials;             /* sampled: order t * protocol.trials + k begins with t */
    int64_t *survived; /* sampled: by entry of the label space, foreign vocabularies that its images survive, over all trials */
};

/* The earliest place of the listed vocabularies; `otherwise` when none is listed. */
static inline int vb_tally_earliest(const int *place, const int *list, int count, int otherwise) {
    int first = otherwise;
    for (int i = 0; i < count; i++)
        if (place[list[i]] < first) first = place[list[i]];
    return first;
}

#endif
