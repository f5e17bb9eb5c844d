/* Per-image records as JSON lines, compressed: one zstd frame a unit, joined in the order of the units. */
#ifndef VB_RECORDS_H
#define VB_RECORDS_H

#include "kernels/openness/similarity.h"
#include "mpi/evaluate/unit_views.h"

/* How a unit's images were judged. */
typedef struct vb_unit_outcome {
    vb_unit_views *views;
    uint8_t *beaten;      /* views x vocabularies */
    vb_verdict *verdicts; /* of the views */
    int *own;             /* of the views, where labels are sets: the vocabulary for vb_similarity_judge; else NULL */
} vb_unit_outcome;

/* Where labels are sets: states for each view the vocabulary that a record names, where it is one of the view's. Local. */
int vb_records_name_vocabularies(vb_unit_outcome *outcome, const vb_vocabularies *vocabularies, vb_error *err);

/* Writes the frame of a unit beside `path` (PATH.parts/NUMBER). One line an image: image, class, vocabulary, predicted (in its
 * vocabulary), predicted_all, own, harmful (names of vocabularies), similarity, margin; where classes of one name are
 * `apart` (an expansion's) also predicted_all_vocabulary; where labels are sets also classes, all that are right. Local. */
int vb_records_unit(const char *path, int64_t unit, const vb_vocabularies *vocabularies, bool apart,
                    const vb_unit_outcome *outcome, vb_error *err);

/* The same for a unit without an image of a vocabulary: a frame of no bytes, so that a frame that is not there is missing. */
int vb_records_none(const char *path, int64_t unit, vb_error *err);

/* Joins all units' frames into `path` and removes the parts. VB_EOUTPUT when one is not there. On one rank, when all have
 * finished. */
int vb_records_join(const char *path, int64_t units, vb_error *err);

#endif
