/* Evaluation of one (model, dataset) pair: units of images judged on every rank, integer counts summed, figures on rank 0. */
#ifndef VB_EVALUATE_H
#define VB_EVALUATE_H

#include "kernels/openness/tally.h"
#include "mpi/encode/classifier.h"
#include "mpi/encode/image_source.h"
#include "mpi/evaluate/pair_shape.h"

/* What a pair's run did: for the `run` block; sums over ranks on rank 0. */
typedef struct vb_pair_counts {
    int64_t images, outside, skipped; /* evaluated; of no vocabulary's class; broken */
    int64_t tied;                     /* of the evaluated: with another class exactly as similar as their own */
    int64_t units_encoded, units_cached, images_encoded, texts_encoded, texts_cached;
    int64_t compared,
        rescored; /* by the scalapack engine: comparisons of classes, and those that its product left to the exact route */
} vb_pair_counts;

typedef struct vb_pair {
    const vb_experiment *experiment;
    const vb_model_spec *spec;
    const vb_dataset_state *data;
    const vb_image_source *source;
    const vb_classifier *classifier;
    const char *records; /* file for per-image records, or NULL */
    int threads;
    /* NULL, or gives another tally in which the image at a place of the data counts as well (NULL: none). */
    vb_tally *(*further)(void *context, int64_t place);
    void *further_context;
} vb_pair;

/* Whether so many orders can be drawn for the pair's vocabularies, and the engine can take its labels, which may be sets (NULL:
 * single ones). Local. */
int vb_evaluate_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_dataset_state *data,
                      const vb_class_sets *sets, vb_error *err);

/* *result (rank 0; NULL elsewhere) is the pair's entry of results[], owned by the caller. Collective. */
int vb_evaluate(vb_context *context, const vb_pair *pair, json_t **result, vb_pair_counts *counts, vb_error *err);

/* A tally as the evaluation of the pair keeps one. Local; free with vb_tally_free. */
int vb_evaluate_tally_new(vb_tally **tally, const vb_pair *pair, vb_error *err);

/* What is not in a tally: counts of the run, the broken images (borrowed), and a digest of the images. */
typedef struct vb_evaluate_facts {
    vb_pair_counts counts;
    json_t *skipped;
    vb_digest data_digest;
} vb_evaluate_facts;

/* The entry of results[] that follows from a tally of all ranks; *result is the caller's. Rank 0, local. */
int vb_evaluate_figures(const vb_pair *pair, const vb_tally *tally, const vb_evaluate_facts *facts, json_t **result,
                        vb_error *err);

/* The bytes that the evaluation of such a pair takes on a rank: of its class texts, and beside them, at most. Local. */
int64_t vb_evaluate_texts_bytes(const vb_experiment *experiment, const vb_pair_shape *shape);
int64_t vb_evaluate_bytes(const vb_experiment *experiment, const vb_pair_shape *shape);
/* The bytes of the tally's harmful sets on rank 0 at the end, which vb_evaluate_bytes has in it. Local. */
int64_t vb_evaluate_sets_bytes(const vb_pair_shape *shape);
/* The bytes of the counts that a rank keeps and sends for a dataset's classes; *orders gets what it keeps beside them.
 * VB_EMEMORY. Local. */
int vb_evaluate_counts_bytes(const vb_experiment *experiment, const vb_label_space *space, int64_t *counts, int64_t *orders,
                             vb_error *err);

#endif
