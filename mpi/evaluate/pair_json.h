/* The entry of a (model, dataset) pair in results[]. */
#ifndef VB_PAIR_JSON_H
#define VB_PAIR_JSON_H

#include "kernels/openness/figure_errors.h"
#include "mpi/base/json.h"
#include "mpi/evaluate/evaluate.h"

/* *entry as docs/results.md describes it, owned by the caller. `skipped` lists the broken images (borrowed); `data_digest` is of
 * the images that a model encoded. Rank 0, local. */
int vb_pair_json(const vb_pair *pair, const vb_openness_result *openness, const vb_figure_errors *errors,
                 const vb_pair_counts *counts, json_t *skipped, const vb_digest *data_digest, json_t **entry, vb_error *err);

/* What the images of a pair were counted to. Of the vocabularies their names and classes. */
typedef struct vb_counted {
    const vb_vocabularies *vocabularies;
    const vb_openness_result *openness;
    const vb_figure_errors *errors;
    int64_t tied; /* images, which the openness does not count */
    bool sampled; /* the protocol */
} vb_counted;

/* Puts the figures of openness into an entry: accuracies with their errors, of the whole, of every vocabulary and class. */
void vb_pair_json_figures(vb_json *json, json_t *entry, const vb_counted *counted);

/* A figure of an entry, or of a setting of retrieval, by the exact protocol, whatever the run's was; NaN where there is none. */
double vb_pair_json_exact(const json_t *figures, const char *key);

#endif
