/* Shares of images, such as accuracies with some errors forgiven, and their three standard errors (kernels/openness/spread.h).
 * Within its own vocabulary an image has no rivals from others: a deleted one takes its own share away, and changes no other. */
#ifndef VB_SHARES_H
#define VB_SHARES_H

#include <stdint.h>

#include "kernels/openness/label_space.h"
#include "kernels/openness/spread.h"

/* Integer counts, by entry of the label space: of its class's images in its vocabulary, how many there are and how many count as
 * right. Every vocabulary has images. */
typedef struct vb_share_counts {
    const vb_label_space *space;
    const vb_memberships *memberships; /* of it */
    const int64_t *images, *right;
    const int64_t *pairs, *both; /* of vb_label_space_pairs_new; images that count as right in both vocabularies of a pair */
} vb_share_counts;

/* Of the mean over the vocabularies, and of each of them. VB_EMEMORY. */
int vb_shares_errors(vb_spread *mean, vb_spread *each, const vb_share_counts *counts, vb_error *err);
/* Of the share of all images, each once, by class: by images and classes alone. VB_EMEMORY. */
int vb_shares_of_images(vb_spread *out, const int64_t *images, const int64_t *right, int classes, vb_error *err);

#endif
