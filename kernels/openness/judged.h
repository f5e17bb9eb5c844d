/* Images that a model has judged, each with its outcome, and their scores by the exact protocol (kernels/openness/openness.h). */
#ifndef VB_JUDGED_H
#define VB_JUDGED_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/openness/label_space.h"

/* A view; whoever made it owns the arrays. Every class is in a vocabulary. */
typedef struct vb_judged {
    const vb_label_space *space;
    const vb_memberships *memberships;
    const int *label;      /* class of each image */
    const uint8_t *beaten; /* images x vocabularies: 1 where a class of the vocabulary is ranked before the image's class */
    const uint8_t *right;  /* first-ranked of all classes */
} vb_judged;

/* Of an image of vocabulary v: own, own / (b + 1), own (M - b) / (M (b + 1)); s is NaN for one vocabulary. */
typedef struct vb_image_scores {
    double c, e, s;
} vb_image_scores;
vb_image_scores vb_judged_scores(const vb_judged *its, int64_t image, int v);

/* Whether the image's class is in vocabulary v. */
bool vb_judged_in(const vb_judged *its, int64_t image, int v);

#endif
