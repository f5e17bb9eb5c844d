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
    int *beaten;    /* scratch: the vocabularies that beat the image at hand */
    int64_t *pairs; /* classes + 1: where the class's rows of `joint` begin, one for each two of its vocabularies */
    size_t count;
    int64_t *counters;
    /* sections of the counters: */
    int64_t *images;     /* by class */
    int64_t *unbeaten;   /* one */
    int64_t *harm;       /* entries x N: of entry i's class, images right in its vocabulary that b = 0..N-1 others beat */
    int64_t *theft;      /* N x N */
    int64_t *relief;     /* N x N x 2: sums of 1 / (b (b + 1)) over theft's images, vb_tally_relief */
    int64_t *sole;       /* N: images that only u beats, of classes that u is not alone to hold */
    int64_t *joint;      /* pairs x N: images of the class right in both vocabularies that b = 0..N-1 others beat */
    int64_t *subsets;    /* 2^N: `right` of vb_subsets_mean; NULL beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set unions; /* beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set trials; /* sampled: order t * protocol.trials + k begins with t */
    int64_t *survived;   /* sampled: by entry of the label space, foreign vocabularies that its images survive, over all trials */
};

/* 1 / (b (b + 1)) is what an image gains in Acc-E when one of the b that beat it goes. In units of 2^-60, to the nearest, in two
 * halves of 30 bits, whose sums over up to 2^33 images fit. */
static inline double vb_tally_relief(const vb_tally *tally, int t, int u) {
    const int64_t *halves = tally->relief + 2 * ((size_t)t * (size_t)tally->vocabularies + (size_t)u);
    return (double)halves[0] * 0x1p-30 + (double)halves[1] * 0x1p-60;
}

/* The row of `joint` for the i-th and j-th vocabulary of a class, i < j. */
static inline int64_t *vb_tally_joint(const vb_tally *tally, int class, int i, int j) {
    return tally->joint + (tally->pairs[class] + (int64_t)j * (j - 1) / 2 + i) * tally->vocabularies;
}

/* Adds to count[S], for every set S of up to VB_SUBSETS_MAX vocabularies, the images whose class is in those of S. */
static inline void vb_tally_count_by_set(const vb_tally *tally, int64_t *count) {
    for (int c = 0; c < tally->classes; c++) {
        size_t memberships = 0;
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++)
            memberships |= (size_t)1 << tally->memberships.vocabularies[h];
        count[memberships] += tally->images[c]; /* none, for a class that is in no vocabulary */
    }
}

/* The earliest place of the listed vocabularies; `otherwise` when none is listed. */
static inline int vb_tally_earliest(const int *place, const int *list, int count, int otherwise) {
    int first = otherwise;
    for (int i = 0; i < count; i++)
        if (place[list[i]] < first) first = place[list[i]];
    return first;
}

#endif
