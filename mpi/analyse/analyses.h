/* Why a model is open or not: the analyses of a (model, dataset) pair, requested by `analyses: [margin, similarity, ...]`. */
#ifndef VB_ANALYSES_H
#define VB_ANALYSES_H

#include "mpi/evaluate/evaluate.h"
#include "shards/text/yaml.h"

/* Bits of vb_experiment.analyses, in the order of their names. */
enum {
    VB_MARGIN = 1,
    VB_SIMILARITIES = 2,
    VB_ALIGNMENT = 4,
    VB_UNIFORMITY = 8,
    VB_SPECTRUM = 16,
    VB_ORDER = 32,
    VB_TEXTS_ONLY = 1 << 16 /* see vb_analyses */
};

/* The key `analyses` of the experiment's root (absent: none) into experiment->analyses and its configuration. Local. */
int vb_analyses_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err);

/* Adds `analyses`, those of the bits `what` (with VB_TEXTS_ONLY less what depends on the images alone), to the pair's result
 * (rank 0; NULL elsewhere); docs/analyses.md describes it. Embeddings are read unit by unit again: memory a rank is bounded by 64
 * MiB of embeddings, the texts once more, and 8 bytes an image of its own (on rank 0: of all). Collective. */
int vb_analyses(vb_context *context, const vb_pair *pair, int what, json_t *result, vb_error *err);

/* Uniformity of the pair's images over all pairs; *images is how many there are. NaN below two. The value is on rank 0.
 * Collective. */
int vb_uniformity_images(vb_context *context, const vb_pair *pair, double *value, int64_t *images, vb_error *err);
/* The same of its class texts. */
int vb_uniformity_texts(vb_context *context, const vb_pair *pair, double *value, vb_error *err);

#endif
