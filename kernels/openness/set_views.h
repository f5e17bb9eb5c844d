/* Images with sets of right classes as views: for each vocabulary that holds some of the set's classes, the image against the
 * first-ranked of them.
 *
 * A view is a row for vb_similarity_judge and vb_similarity_judge_pool, its label being that class and its set no rivals: the
 * image is right within a vocabulary when that vocabulary does not beat the vocabulary's view. */
#ifndef VB_SET_VIEWS_H
#define VB_SET_VIEWS_H

#include "kernels/openness/similarity.h"

typedef struct vb_set_views {
    vb_image_block block; /* the views */
    int64_t *first;       /* images + 1: those of image i are first[i] .. first[i+1]-1, the first-ranked first */
    float *images;        /* behind the block */
    int *labels;
    vb_class_set *sets;
} vb_set_views;

/* Views of a block whose images all have `sets`, none empty: one for each class that is the first-ranked one of its image's
 * set in some vocabulary. dim: the bank's. The sets stay the caller's. Errors as of vb_similarity_judge. Free with
 * vb_set_views_free, also after a failure. */
int vb_set_views_new(vb_set_views *views, const vb_text_bank *bank, int dim, const vb_memberships *memberships,
                     const vb_image_block *block, vb_error *err);
void vb_set_views_free(vb_set_views *views); /* {0} is fine */

/* The view of image i for vocabulary v; -1: it holds no class of the set. */
int64_t vb_set_views_of(const vb_set_views *views, const vb_memberships *memberships, int64_t i, int v);

#endif
