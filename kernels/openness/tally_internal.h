/* What a tally is made of, for the figures that are computed from it. Private to kernels/openness/. */
#ifndef VB_TALLY_INTERNAL_H
#define VB_TALLY_INTERNAL_H

#include "kernels/openness/tally.h"

/* Random orders of arrival of the N vocabularies. */
typedef struct vb_order_set {
    int count;
    int *place;       /* place[o * N + u], from 0: when vocabulary u arrives in order o */
    int64_t *changes; /* changes[o * (N + 1) + p]: how many more images are right once the vocabulary at place p is there */
    int64_t
        *arrivals; /* arrivals[o * N + p]: images with sets of which the first vocabulary comes at place p; NULL without sets */
} vb_order_set;

/* What images with sets of right classes add (kernels/openness/tally_sets.c): all NULL without them. An entry is a vocabulary and
 * the first class of the image's set that it holds. */
typedef struct vb_set_counts {
    int64_t *images; /* by entry */
    int64_t *all;    /* one: images, each once */
    int64_t *shared; /* one: of those, images of several vocabularies */
    int64_t *kept;   /* entries x N: how many images more than `harm` has are right until one of b others comes; may be below 0 */
    int64_t *rescued; /* entries x N: images that are right from the arrival of one other vocabulary until that of one of b */
    /* by entry, in units of 2^-VB_SET_SQUARE_BITS: by how much the squares of the images' scores differ from those that `harm`
     * gives */
    int64_t *squares_e, *squares_s;
    int64_t *members; /* 2^N: images by the set of their vocabularies; NULL beyond VB_SUBSETS_MAX vocabularies */
} vb_set_counts;

enum { VB_SET_SQUARE_BITS = 38, VB_SET_SCRATCH = 4 };

struct vb_tally {
    int classes, vocabularies, entries; /* of the label space */
    vb_protocol protocol;
    int *offsets;
    vb_memberships memberships;
    bool sets;    /* images come with sets of right classes */
    int *beaten;  /* scratch: the vocabularies that beat the image at hand */
    int *scratch; /* with sets: VB_SET_SCRATCH x N more */
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
    vb_set_counts of_sets;
};

/* Images of an entry of the label space and its class. */
static inline int64_t vb_tally_entry_images(const vb_tally *tally, int class, int entry) {
    return tally->images[class] + (tally->sets ? tally->of_sets.images[entry] : 0);
}

/* The earliest place of the listed vocabularies; `otherwise` when none is listed. */
static inline int vb_tally_earliest(const int *place, const int *list, int count, int otherwise) {
    int first = otherwise;
    for (int i = 0; i < count; i++)
        if (place[list[i]] < first) first = place[list[i]];
    return first;
}

#endif
