/* The pass over a pair's images for the analyses of confidence (open_set, calibration): the largest similarity and the softmax
 * mass of every image with every vocabulary's classes, with all classes, and with foreign names as they arrive; and what is
 * right.
 *
 * Names arrive in random orders: those of the pool of `open_curve` that are kept out of no vocabulary, in its order, permuted
 * `trials` times by NumPy's legacy generator from `seed`. The first n of an order are a random set of n names. */
#ifndef VB_CONFIDENCE_PASS_H
#define VB_CONFIDENCE_PASS_H

#include "kernels/openness/masses.h"
#include "kernels/openness/names_curve.h"
#include "mpi/base/json.h"
#include "mpi/evaluate/evaluate.h"

/* A row of numbers of both kinds. */
typedef union vb_confidence_cell {
    int64_t integer;
    uint64_t bits;
    double real;
} vb_confidence_cell;

/* Begin with {0}. `rows`: on rank 0 of all ranks, in no order that means anything. */
typedef struct vb_confidence_pass {
    bool done;
    int vocabularies, draws; /* orders of names; 0 without */
    int point_count;
    int64_t points[VB_NAMES_CURVE_POINTS]; /* numbers of names: 0, then powers of ten, then all */
    double scale;                          /* logit scale; NaN: none is known */
    json_t *pool;                          /* of the names, for the results; NULL without, and elsewhere than on rank 0 */
    bool sets;                             /* images have several right classes: names are counted by vocabulary */
    int64_t stride;                        /* cells a row */
    vb_confidence_cell *rows;
    int64_t count;
} vb_confidence_pass;

/* Whether a pair has confidences: in an expansion classes of one name are no rivals (shared_names: same), and a softmax over the
 * texts of both would be no confidence in either; and foreign names must fit beside its classes. */
bool vb_confidence_pass_fits(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_state *data);

/* The logit scale that is stated, or the weights' (model: NULL of a precomputed one); NaN: none is known. VB_ECONFIG where
 * `scale_for` needs one (the name of an analysis, else NULL). Local. */
int vb_confidence_pass_scale(double *scale, const vb_model_spec *spec, const vb_model *model, const char *scale_for,
                             vb_error *err);

/* Whether it can be filled, before anything is encoded. Local. */
int vb_confidence_pass_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model, int dim,
                             const vb_dataset_state *data, const char *scale_for, vb_error *err);

/* Fills the pass unless it is done. VB_ECONFIG as above.
 * Memory a rank: texts of classes twice and of names three times, vb_masses_bytes, and its rows; on rank 0 all rows.
 * Collective; free also after a failure. */
int vb_confidence_pass_run(vb_confidence_pass *pass, vb_context *context, const vb_pair *pair, const char *scale_for,
                           vb_error *err);
void vb_confidence_pass_free(vb_confidence_pass *pass);

/* The bytes that this takes on rank 0, at most, and its floating-point operations. Local. */
int64_t vb_confidence_pass_bytes(const vb_pair_shape *shape);
double vb_confidence_pass_operations(const vb_pair_shape *shape);

/* Of row i: whether one of its right classes is of vocabulary v. */
bool vb_confidence_pass_has(const vb_confidence_pass *pass, int64_t i, int v);
/* Whether a right class is the first-ranked one of vocabulary v, which has one, or of all classes (v: vocabularies), and of the
 * first points[p] names of a draw. */
bool vb_confidence_pass_right(const vb_confidence_pass *pass, int64_t i, int v, int draw, int p);
/* The mass of vocabulary v, or of all classes (v: vocabularies), with the first points[p] names of a draw. */
vb_mass vb_confidence_pass_mass(const vb_confidence_pass *pass, int64_t i, int v, int draw, int p);
/* Draws that differ at points[p]: 1 where there are no names, or all. */
int vb_confidence_pass_draws(const vb_confidence_pass *pass, int p);

/* The mean of some draws' values, and their sample standard deviation (NaN below two). */
double vb_confidence_pass_spread(const double *values, int draws, double *deviation);

/* What both analyses say first: logit_scale, pool, n, draws, seed. */
void vb_confidence_pass_head(const vb_confidence_pass *pass, const vb_pair *pair, vb_json *json, json_t *to);

#endif
