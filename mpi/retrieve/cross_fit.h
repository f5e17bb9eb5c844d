/* REPE's setting chosen on other images than those that it is measured on.
 *
 * The images of every class are dealt to folds in the order of the data. A fold's images are judged with the setting of which
 * Acc-E is largest on all images outside of the fold; of equal ones it is the first. The figures are those of all images, each
 * judged so (docs/protocol.md). Two rounds of evaluations: in the first every setting is counted by fold, in the second those
 * that were chosen are judged again, and every image enters one tally, under the setting of its fold. */
#ifndef VB_CROSS_FIT_H
#define VB_CROSS_FIT_H

#include "kernels/openness/tally.h"
#include "mpi/evaluate/evaluate.h"

typedef struct vb_cross_fit {
    const vb_pair *pair;
    int folds, settings;
    uint8_t *fold;      /* of every image, by its place in the data */
    vb_tally **tallies; /* of each fold, under the setting at hand */
    double *scores;     /* settings x folds: Acc-E on the images outside; rank 0 */
    int *choice;        /* of each fold */
    int setting;        /* at hand, in the second round */
    vb_tally *chosen;   /* of the second round, borrowed from `tallies`; NULL before it */
} vb_cross_fit;

/* Deals the pair's images, which takes a pass over their units, and 24 bytes an image while it lasts; keeps a tally a fold.
 * Collective; close also after a failure. */
int vb_cross_fit_open(vb_cross_fit *cross, vb_context *context, const vb_pair *pair, int folds, int settings, vb_error *err);
void vb_cross_fit_close(vb_cross_fit *cross); /* a zeroed one is fine */

/* The pair's `further` (mpi/evaluate/evaluate.h), in both rounds; the context is the vb_cross_fit. Local. */
vb_tally *vb_cross_fit_tally(void *cross, int64_t place);

/* Ends a setting of the first round. Collective. */
int vb_cross_fit_score(vb_cross_fit *cross, vb_comm *comm, int setting, vb_error *err);
/* Ends the first round: the choice of each fold, the same on every rank. Collective. */
int vb_cross_fit_choose(vb_cross_fit *cross, vb_comm *comm, vb_error *err);
/* Whether a setting takes part in the second round. */
bool vb_cross_fit_chosen(const vb_cross_fit *cross, int setting);

/* Ends the second round: on rank 0 (NULL elsewhere) *figures is what a pair's entry of results[] has, owned by the caller.
 * Collective. */
int vb_cross_fit_figures(vb_cross_fit *cross, vb_comm *comm, json_t **figures, vb_error *err);

/* The bytes that it keeps beside an evaluation, at most, where a tally takes `tally`; 0 where nothing is cross-fitted. Local. */
int64_t vb_cross_fit_bytes(const vb_retrieval_spec *retrieval, const vb_pair_shape *shape, int64_t tally);

#endif
