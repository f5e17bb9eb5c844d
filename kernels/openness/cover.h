/* Adversarial vocabularies: the k candidate names that take most images from a vocabulary, as maximum coverage over bit sets.
 *
 * An image of the target that is right within its own vocabulary is taken by a candidate that is ranked before its class
 * (kernels/openness/similarity.h); a set of candidates takes the union. Greedy choice takes at least 1 - 1/e of the most that k
 * candidates can take (Nemhauser, Wolsey and Fisher 1978); branch and bound finds the most. Candidates have indices
 * 0..candidates-1; of equal ones the lower index comes first, always. */
#ifndef VB_COVER_H
#define VB_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

enum { VB_ADVERSARIES = 16 }; /* most candidates to choose */

/* Images, 64 to a block, and the candidates that take each: bit i of words[b * candidates + c] says that c takes image 64 b +
 * i. */
typedef struct vb_cover {
    int candidates;
    int64_t images;
    uint64_t *words;
    int *classes; /* of the images */
    size_t word_capacity, class_capacity;
} vb_cover;

/* Adds an image of class `class`, of which `pool` holds one bit a candidate (vb_similarity_judge_pool). Start from a zeroed
 * vb_cover with its number of candidates; 8 bytes a candidate for 64 images. Free with vb_cover_free. */
int vb_cover_add(vb_cover *cover, const uint64_t *pool, int class, vb_error *err);
void vb_cover_free(vb_cover *cover);

/* Blocks of 64 images. */
static inline int64_t vb_cover_blocks(const vb_cover *cover) { return (cover->images + 63) / 64; }

/* gains[c] += images that c takes beyond `taken` (a word a block). */
void vb_cover_gains(const vb_cover *cover, const uint64_t *taken, int64_t *gains, int threads);
/* counts[h] += images that exactly h of the candidates take, those that are excluded aside (bytes; NULL: none). counts:
 * candidates + 1. VB_EMEMORY. */
int vb_cover_takers(const vb_cover *cover, const uint8_t *excluded, int64_t *counts, vb_error *err);
/* Candidate c joins: its images are added to `taken`; each that is new adds 1 to by_class[its class]. */
void vb_cover_take(const vb_cover *cover, int candidate, uint64_t *taken, int64_t *by_class);
/* out (n x blocks): the sets of n candidates, one after the other. */
void vb_cover_sets(const vb_cover *cover, const int *chosen, int n, uint64_t *out);

/* The largest gain among the candidates that are neither excluded nor gone (bytes, either NULL), the lowest index of equal ones;
 * -1 when none is left. */
int vb_cover_largest_gain(const int64_t *gains, int candidates, const uint8_t *excluded, const uint8_t *gone);

/* Sets to choose from: `count` of `words` words each, row-major. */
typedef struct vb_coverage {
    int count;
    int64_t words;
    const uint64_t *sets;
    int k;               /* 1..VB_ADVERSARIES */
    int64_t evaluations; /* stop after so many evaluations of a set's gain; the outcome is a function of the input alone */
    double seconds;      /* stop after so long a time as well; 0: no such limit */
} vb_coverage;

typedef struct vb_coverage_result {
    int chosen[VB_ADVERSARIES]; /* min(k, count) indices, in the order of their gains */
    int n;
    int64_t taken;       /* elements of the union */
    int64_t bound;       /* no k sets take more: equal to `taken` when that is proven */
    int64_t evaluations; /* spent */
    bool out_of_time;    /* the limit in seconds, not the one in evaluations, ended the search */
} vb_coverage_result;

/* Branch and bound. The bound of a partial choice is what it takes plus the largest gains that are left; equal and contained sets
 * are put aside first. Always gives the greedy choice or better. */
int vb_cover_most(const vb_coverage *problem, vb_coverage_result *result, vb_error *err);

#endif
