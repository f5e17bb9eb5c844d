/* A unit's images whose labels are sets, as views (kernels/openness/set_views.h) that are judged like images of one class. */
#ifndef VB_UNIT_VIEWS_H
#define VB_UNIT_VIEWS_H

#include "kernels/openness/set_views.h"
#include "mpi/encode/image_source.h"

/* The views of a unit's rows; where labels are no sets (NULL) each row is its own view, and nothing is copied. `bank` and
 * `memberships` may have further classes behind those of the pair. Local. Free with vb_unit_views_close, also after a failure. */
typedef struct vb_unit_views {
    vb_image_block block; /* to be judged */
    vb_set_views views;   /* {0} without sets */
    vb_class_set *sets;   /* of the rows */
    const vb_unit_rows *rows;
    const vb_memberships *memberships;
} vb_unit_views;

int vb_unit_views_open(vb_unit_views *views, const vb_unit_rows *rows, const vb_class_sets *sets, const vb_text_bank *bank,
                       const vb_memberships *memberships, vb_error *err);
void vb_unit_views_close(vb_unit_views *views);

/* The first and the number of image i's views, the first-ranked first. */
static inline int64_t vb_unit_views_first(const vb_unit_views *its, int64_t i) { return its->sets ? its->views.first[i] : i; }
static inline int64_t vb_unit_views_count(const vb_unit_views *its, int64_t i) {
    return its->sets ? its->views.first[i + 1] - its->views.first[i] : 1;
}

/* The classes that are right for image i, in the order in which they are listed. */
static inline vb_class_set vb_unit_views_right(const vb_unit_views *its, int64_t i) {
    return its->sets ? its->sets[i] : (vb_class_set){&its->rows->classes[i], 1};
}

/* What an image is in vocabulary v: its view, and its class there, the first listed that v holds. False: it is not of v. */
bool vb_unit_views_in(const vb_unit_views *its, int64_t i, int v, int64_t *view, int *class);

#endif
