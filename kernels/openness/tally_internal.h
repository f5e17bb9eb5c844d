/* What a tally is made of, for the figures that are computed from it. Private to kernels/openness/. */
#ifndef VB_TALLY_INTERNAL_H
#define VB_TALLY_INTERNAL_H

#include <math.h>

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
    int64_t *once;    /* classes x 2: images by the first class listed that is in a vocabulary, and those right among all */
    int64_t *rescue_ends, *rescuers; /* N x N x N, with curve_errors: [t][u][f], rescues of t by others that u ends, and by u */
    int64_t *left; /* N x 2: images that have a vocabulary beside u, and those that are right among all without u */
} vb_set_counts;

enum { VB_SET_SQUARE_BITS = 38, VB_SET_SCRATCH = 6 };

/* What rounding can make of the squared deviations of so many images, whose squares are counted in those units: less is none. */
static inline double vb_tally_squares_rounding(int64_t images) { return ldexp((double)images, -VB_SET_SQUARE_BITS); }

struct vb_tally {
    int classes, vocabularies, entries; /* of the label space */
    vb_protocol protocol;
    int *offsets;
    vb_memberships memberships;
    bool sets;      /* images come with sets of right classes */
    int *beaten;    /* scratch: the vocabularies that beat the image at hand */
    int *scratch;   /* with sets: VB_SET_SCRATCH x N more */
    int64_t *pairs; /* classes + 1: where the class's rows of `joint` begin, one for each two of its vocabularies */
    size_t count;
    int64_t *counters;
    /* sections of the counters: */
    int64_t *images;     /* by class */
    int64_t *unbeaten;   /* one */
    int64_t *harm;       /* entries x N: of entry i's class, images right in its vocabulary that b = 0..N-1 others beat */
    int64_t *theft;      /* N x N */
    int64_t *relief;     /* entries x N x 2: sums of 1 / (b (b + 1)) over the entry's images of theft, vb_tally_relief */
    int64_t *sole;       /* N: images that only u beats, of classes that u is not alone to hold */
    int64_t *joint;      /* pairs x N: images of the class right in both vocabularies that b = 0..N-1 others beat */
    int64_t *ends;       /* N x N x N, with curve_errors: of theft's images (or events of t itself), those that f others beat */
    int64_t *subsets;    /* 2^N: `right` of vb_subsets_mean; NULL beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set unions; /* beyond VB_SUBSETS_MAX vocabularies */
    vb_order_set trials; /* sampled: order t * protocol.trials + k begins with t */
    int64_t *survived;   /* sampled: by entry of the label space, foreign vocabularies that its images survive, over all trials */
    vb_set_counts of_sets;
    vb_harm_sets harm_sets; /* with union_errors */
};

/* Where an entry's relief by u is counted: two halves. */
static inline int64_t *vb_tally_relief_at(const vb_tally *tally, int entry, int u) {
    return tally->relief + 2 * ((size_t)entry * (size_t)tally->vocabularies + (size_t)u);
}

/* 1 / (b (b + 1)) is what an image gains in Acc-E when one of the b that beat it goes. In units of 2^-60, to the nearest, in two
 * halves of 30 bits, whose sums over up to 2^33 images fit. Over the entries from `first` to before `end`. */
static inline double vb_tally_relief(const vb_tally *tally, int first, int end, int u) {
    int64_t high = 0, low = 0;
    for (int i = first; i < end; i++) {
        const int64_t *halves = vb_tally_relief_at(tally, i, u);
        high += halves[0];
        low += halves[1];
    }
    return (double)high * 0x1p-30 + (double)low * 0x1p-60;
}

/* Where t's images that u ends, one of f, are counted. */
static inline int64_t *vb_tally_ends(int64_t *counts, const vb_tally *tally, int t, int u, int f) {
    const size_t n = (size_t)tally->vocabularies;
    return counts + ((size_t)t * n + (size_t)u) * n + (size_t)f;
}

/* Whether the harmful sets of images are kept by class. */
static inline bool vb_tally_has_harm_sets(const vb_tally *tally) {
    return tally->protocol.union_errors && tally->subsets && tally->vocabularies > 1;
}

/* Adds `times` / divisor to what the entry gains without u. */
static inline void vb_tally_add_gain(vb_tally *tally, int entry, int u, int times, uint64_t divisor) {
    const uint64_t gain = ((UINT64_C(1) << 60) + divisor / 2) / divisor;
    int64_t *halves = vb_tally_relief_at(tally, entry, u);
    halves[0] += times * (int64_t)(gain >> 30);
    halves[1] += times * (int64_t)(gain & ((UINT64_C(1) << 30) - 1));
}

/* Adds that of an image of the entry to `relief`: the b vocabularies of the list beat it. */
static inline void vb_tally_add_relief(vb_tally *tally, int entry, const int *list, int b) {
    for (int i = 0; i < b; i++) vb_tally_add_gain(tally, entry, list[i], 1, (uint64_t)b * ((uint64_t)b + 1));
}

/* The row of `joint` for the i-th and j-th vocabulary of a class, i < j. */
static inline int64_t *vb_tally_joint(const vb_tally *tally, int class, int i, int j) {
    return tally->joint + vb_label_space_pair(tally->pairs, class, i, j) * tally->vocabularies;
}

/* Adds to count[S], for every set S of up to VB_SUBSETS_MAX vocabularies, the images whose class is in those of S. */
static inline void vb_tally_count_by_set(const vb_tally *tally, int64_t *count) {
    for (int c = 0; c < tally->classes; c++) {
        size_t memberships = 0;
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++)
            memberships |= (size_t)1 << tally->memberships.vocabularies[h];
        count[memberships] += tally->images[c]; /* none, for a class that is in no vocabulary */
    }
    for (size_t i = 0; tally->of_sets.members && i < (size_t)1 << tally->vocabularies; i++) count[i] += tally->of_sets.members[i];
}

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
