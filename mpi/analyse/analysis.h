/* A row of the analyses: what one of the names in mpi/experiment/analyses_list.h needs, takes and does.
 *
 * A file of mpi/analyse/ defines the row of its name: `const vb_analysis vb_analysis_NAME = {...};`. docs/extending.md shows
 * how. */
#ifndef VB_ANALYSIS_H
#define VB_ANALYSIS_H

#include <math.h>

#include "mpi/analyse/confidence_pass.h"
#include "mpi/analyse/image_pass.h"
#include "mpi/base/json.h"
#include "mpi/experiment/analyses_list.h"
#include "mpi/figures/section.h"

/* What a row works with; all borrowed. */
typedef struct vb_analysis_work {
    vb_context *context;
    const vb_pair *pair;
    bool images;                     /* false: no figures of the images alone, which an earlier setting of the pair has given */
    bool shown;                      /* the plain texts, or the setting that stands for REPE: rows that tables show */
    const vb_image_pass *pass;       /* for rows that need it: complete */
    vb_confidence_pass *confidences; /* for who runs it (vb_confidence_pass_run) */
    vb_json *json;
    json_t *figures;    /* `analyses` of the pair; what rank 0 sets there goes into the results */
    json_t *histograms; /* in it, of rows that need the pass */
} vb_analysis_work;

/* What a row is asked about before anything is encoded; all borrowed. */
typedef struct vb_analysis_subject {
    const vb_experiment *experiment;
    const vb_model_spec *spec;
    const vb_model *model; /* NULL: precomputed, of `dim` elements */
    int dim;
    const vb_dataset_state *data;
    const vb_class_sets *sets; /* of the images; NULL: of one class each */
    const int *classes;        /* of a precomputed model's images; below 0: not evaluated */
} vb_analysis_subject;

typedef struct vb_analysis {
    unsigned needs; /* of the pass over images and classes: VB_IMAGE_PASS_* */
    /* Whether it can be made of a model and a dataset, before anything is encoded; NULL: of any. VB_E... says why not. Local. */
    int (*check)(const vb_analysis_subject *subject, vb_error *err);
    /* Sets its figures. With needs: local, on rank 0 alone; without: collective, on all ranks. */
    int (*run)(vb_analysis_work *work, vb_error *err);
    /* The bytes that it takes on rank 0 beside the class texts, at most, and its floating-point operations beside the
     * similarities of all images with all classes; NULL: none. Local. */
    int64_t (*bytes)(const vb_pair_shape *shape);
    double (*operations)(const vb_pair_shape *shape);
    const vb_section *section; /* what reports show of it; NULL: nothing */
} vb_analysis;

#define VB_ANALYSIS_ROW(name, help) extern const vb_analysis vb_analysis_##name;
VB_ANALYSES_LIST(VB_ANALYSIS_ROW)
#undef VB_ANALYSIS_ROW

/* sum / count, or null without terms. */
static inline void vb_analysis_set_mean(const vb_analysis_work *work, const char *key, const vb_fixed_sum *sum, int64_t count) {
    vb_json_set_real(work->json, work->figures, key, count ? vb_fixed_sum_value(sum) / (double)count : NAN);
}

/* The bins, and how many of their terms lie beyond the range and so in the outermost. */
static inline void vb_analysis_set_histogram(const vb_analysis_work *work, const char *key, const int64_t *bins, int64_t beyond) {
    json_t *counts = json_object_get(work->histograms, "beyond");
    if (!counts) counts = vb_json_set_object(work->json, work->histograms, "beyond");
    vb_json_set_integer(work->json, counts, key, beyond);
    vb_json_set(work->json, work->histograms, key, vb_json_integer_list(work->json, bins, VB_HISTOGRAM_BINS));
}

#endif
