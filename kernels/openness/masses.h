/* The masses (kernels/openness/confidence.h) of many images: of every vocabulary's classes, of all classes, and of foreign names
 * as they arrive in some orders. Similarities as in kernels/openness/features.h: fp64, in one fixed order. */
#ifndef VB_MASSES_H
#define VB_MASSES_H

#include "kernels/openness/confidence.h"
#include "kernels/openness/features.h"
#include "kernels/openness/label_space.h"

/* All borrowed. */
typedef struct vb_mass_texts {
    const vb_label_space *space;             /* of the classes */
    const vb_feature_block *classes, *names; /* one similarity; without names: count 0 */
    int draws;                               /* orders of arrival */
    const int *order;                        /* draws x names */
    const int64_t *points;                   /* numbers of names, ascending, the first 0 */
    int point_count;
    double scale; /* L, or NaN */
} vb_mass_texts;

/* Masses of one image: those of the vocabularies, of all classes, then for each draw of its first points[1], points[2], ...
 * names. */
static inline int64_t vb_masses_count(const vb_mass_texts *texts) {
    return texts->space->vocabularies + 1 + (int64_t)texts->draws * (texts->point_count - 1);
}

/* out: count x vb_masses_count, image by image. VB_EDATA names an image that is zero or not finite. Work space a thread: 8 rows
 * of all classes and names, and one of names, in fp64. */
int vb_masses(const vb_mass_texts *texts, const float *images, int64_t count, vb_mass *out, int threads, vb_error *err);

/* The bytes of that work space. */
int64_t vb_masses_bytes(int64_t classes, int64_t names, int threads);

#endif
