/* The analysis `uniformity`: how evenly texts, and images, spread over the sphere; over all pairs, each on one rank.
 *
 * Pairs of units (u, v), u <= v, belong to the rank of v. All ranks hold a panel of units together, of bounded size; each adds
 * the pairs of the panel with its units v, those beyond the panel read anew; then comes the next panel. Sums are exact: the
 * number of ranks changes no bit. */
#include <math.h>
#include <string.h>

#include "kernels/openness/features.h"
#include "kernels/base/memory.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/geometry_section.h"
#include "mpi/ranks/progress.h"

enum { PANEL_BYTES = 1 << 26, TEXT_BLOCK = 256 };

/* Rows with the inverses of their norms. */
typedef struct feature_rows {
    const float *rows;
    const double *inverse;
    int64_t count;
} feature_rows;

/* Consecutive units' rows without gaps: those of unit first + u are rows start[u] .. start[u + 1] - 1. */
typedef struct unit_panel {
    int64_t first, units;
    float *rows;
    double *inverse;
    int64_t *start;
} unit_panel;

typedef struct gaussian {
    vb_gauss_sum terms;
    int64_t rows;
} gaussian;

/* Log of the mean, on rank 0. */
static int finish_uniformity(vb_comm *comm, gaussian *total, double *value, vb_error *err) {
    vb_fixed_sum_settle(&total->terms.sum);
    if (vb_comm_sum_to_root(comm, (int64_t *)total, sizeof *total / sizeof(int64_t), err)) return -1;
    *value = total->terms.pairs ? log(vb_fixed_sum_value(&total->terms.sum) / (double)total->terms.pairs) : NAN;
    return 0;
}

/* All pairs of one of `rows` with one of `own`. */
static int add_block(gaussian *total, feature_rows rows, feature_rows own, int dim, int threads, vb_error *err) {
    vb_feature_block block;
    if (vb_features_block_new(&block, own.rows, own.count, dim, err)) return -1;
    int status = vb_features_gauss_add(&total->terms, rows.rows, rows.inverse, rows.count, &block, false, threads, err);
    vb_features_block_free(&block);
    return status;
}

/* All pairs of two of the rows. */
static int add_triangle(gaussian *total, feature_rows own, int dim, int threads, vb_error *err) {
    vb_feature_block block;
    if (vb_features_block_new(&block, own.rows, own.count, dim, err)) return -1;
    int status = vb_features_gauss_add(&total->terms, own.rows, own.inverse, own.count, &block, true, threads, err);
    vb_features_block_free(&block);
    return status;
}

/* *value on rank 0, NaN below two classes. Collective. */
static int uniformity_of_texts(vb_context *context, const vb_pair *pair, double *value, vb_error *err) {
    vb_comm *comm = &context->comm;
    const vb_classifier *classifier = pair->classifier;
    int64_t classes = classifier->classes, dim = classifier->dim;
    gaussian total = {{{{0}, 0, 0}, 0}, 0};
    double *inverse = vb_array((size_t)classes, sizeof *inverse, "norms of texts", err);
    int status = inverse ? vb_features_inverse_norms(classifier->texts, classes, classifier->dim, inverse, err) : -1;
    for (int64_t v = comm->rank; !status && v * TEXT_BLOCK < classes; v += comm->size) {
        if ((status = vb_context_check_stop(context, err))) break;
        int64_t first = v * TEXT_BLOCK, count = classes - first < TEXT_BLOCK ? classes - first : TEXT_BLOCK;
        feature_rows before = {classifier->texts, inverse, first},
                     own = {classifier->texts + first * dim, inverse + first, count};
        status = add_block(&total, before, own, (int)dim, pair->threads, err);
        if (!status) status = add_triangle(&total, own, (int)dim, pair->threads, err);
    }
    status = vb_context_barrier(context, status, err);
    if (!status) status = finish_uniformity(comm, &total, value, err);
    vb_free(inverse);
    return status;
}

/* This rank's share of the panel's units, into their slots. */
static int load_share(vb_context *context, const vb_pair *pair, unit_panel *panel, vb_error *err) {
    const vb_comm *comm = &context->comm;
    int64_t dim = pair->source->dim, first, mine = vb_comm_range_of_rank(panel->units, comm->rank, comm->size, &first);
    int status = 0;
    for (int64_t u = first; u < first + mine && !status; u++) {
        vb_unit_rows rows = {0};
        if ((status = vb_context_check_stop(context, err))) break;
        status = vb_image_source_unit(pair->source, panel->first + u, &rows, err);
        if (!status) {
            panel->start[u] = rows.count;
            if (rows.count)
                memcpy(panel->rows + u * pair->source->unit_images * dim, rows.rows,
                       (size_t)rows.count * (size_t)dim * sizeof *rows.rows);
        }
        vb_unit_rows_free(&rows);
    }
    return status;
}

static int load_panel(vb_context *context, const vb_pair *pair, unit_panel *panel, vb_error *err) {
    vb_comm *comm = &context->comm;
    int64_t dim = pair->source->dim, slot = pair->source->unit_images, count = 0;
    int status = load_share(context, pair, panel, err);
    if (vb_context_barrier(context, status, err)) return -1;
    if (vb_comm_allgather_rows(comm, panel->start, panel->units, sizeof *panel->start, err)) return -1;
    if (vb_comm_allgather_rows(comm, panel->rows, panel->units, (size_t)(slot * dim) * sizeof *panel->rows, err)) return -1;
    for (int64_t u = 0; u < panel->units; u++) {
        int64_t rows = panel->start[u];
        memmove(panel->rows + count * dim, panel->rows + u * slot * dim, (size_t)(rows * dim) * sizeof *panel->rows);
        panel->start[u] = count;
        count += rows;
    }
    panel->start[panel->units] = count;
    return vb_comm_agree(comm, vb_features_inverse_norms(panel->rows, count, (int)dim, panel->inverse, err), err);
}

/* The pairs of unit v with the panel: with the units before it and within itself, if it is one of the panel's; else with all. */
static int add_pairs_of_unit(const vb_pair *pair, const unit_panel *panel, int64_t v, gaussian *total, vb_error *err) {
    int64_t dim = pair->source->dim, u = v - panel->first;
    if (u < panel->units) {
        int64_t before = panel->start[u], count = panel->start[u + 1] - before;
        if (!count) return 0;
        feature_rows own = {panel->rows + before * dim, panel->inverse + before, count};
        total->rows += count;
        if (add_block(total, (feature_rows){panel->rows, panel->inverse, before}, own, (int)dim, pair->threads, err)) return -1;
        return add_triangle(total, own, (int)dim, pair->threads, err);
    }
    vb_unit_rows rows = {0};
    int status = vb_image_source_unit(pair->source, v, &rows, err);
    if (!status && rows.count)
        status = add_block(total, (feature_rows){panel->rows, panel->inverse, panel->start[panel->units]},
                           (feature_rows){rows.rows, NULL, rows.count}, (int)dim, pair->threads, err);
    vb_unit_rows_free(&rows);
    return status;
}

/* *value and *images, their number, on rank 0; NaN below two. Collective. */
static int uniformity_of_images(vb_context *context, const vb_pair *pair, double *value, int64_t *images, vb_error *err) {
    vb_comm *comm = &context->comm;
    int64_t units = pair->source->units, slot = pair->source->unit_images * (int64_t)pair->source->dim;
    int64_t most = PANEL_BYTES / (slot * (int64_t)sizeof(float));
    if (most > units) most = units;
    if (most < 1) most = 1;
    gaussian total = {{{{0}, 0, 0}, 0}, 0};
    unit_panel panel = {.rows = vb_array((size_t)(most * slot), sizeof *panel.rows, "embeddings of images", err),
                        .inverse =
                            vb_array((size_t)(most * pair->source->unit_images), sizeof *panel.inverse, "norms of images", err),
                        .start = vb_array((size_t)most + 1, sizeof *panel.start, "units", err)};
    int status = vb_comm_agree(comm, panel.rows && panel.inverse && panel.start ? 0 : -1, err);
    for (; !status && panel.first < units; panel.first += panel.units) {
        vb_progress progress;
        panel.units = units - panel.first < most ? units - panel.first : most;
        if ((status = load_panel(context, pair, &panel, err))) break;
        int64_t v = panel.first + (comm->rank - panel.first % comm->size + comm->size) % comm->size;
        vb_progress_start(&progress, context, "uniformity", pair->spec->name, "units", units - panel.first);
        for (; v < units && !status; v += comm->size) {
            if ((status = vb_context_check_stop(context, err))) break;
            status = add_pairs_of_unit(pair, &panel, v, &total, err);
            vb_progress_step(&progress, 1);
        }
        vb_progress_end(&progress);
        status = vb_context_barrier(context, status, err);
    }
    if (!status) status = finish_uniformity(comm, &total, value, err);
    *images = total.rows;
    vb_free(panel.rows);
    vb_free(panel.inverse);
    vb_free(panel.start);
    return status;
}

static int run_uniformity(vb_analysis_work *work, vb_error *err) {
    double texts = NAN, images = NAN;
    int64_t count = 0;
    int status = uniformity_of_texts(work->context, work->pair, &texts, err);
    if (!status && work->images) status = uniformity_of_images(work->context, work->pair, &images, &count, err);
    vb_json_set_real(work->json, work->figures, "uniformity_text", texts);
    if (work->images) vb_json_set_real(work->json, work->figures, "uniformity_image", images);
    vb_json_set_integer(work->json, work->figures, "uniformity_text_n", work->pair->classifier->classes);
    if (work->images) vb_json_set_integer(work->json, work->figures, "uniformity_image_n", count);
    return status;
}

/* The panel, a unit's rows twice, a block of 64 rows a thread, and the texts' norms. */
static int64_t uniformity_bytes(const vb_pair_shape *s) {
    int64_t all = (s->images + VB_UNIT_SAMPLES) * s->dim * 4, panel = all < PANEL_BYTES ? all : PANEL_BYTES;
    return panel + panel / (s->dim * 4) * 8 + 2 * VB_UNIT_SAMPLES * s->dim * 4 + (int64_t)s->threads * 64 * 8 * VB_UNIT_SAMPLES +
           8 * s->classes;
}

static double uniformity_operations(const vb_pair_shape *s) {
    double images = (double)s->images, classes = (double)s->classes;
    return (images * images + classes * classes) * (double)s->dim;
}

const vb_analysis vb_analysis_uniformity = {.run = run_uniformity,
                                            .bytes = uniformity_bytes,
                                            .operations = uniformity_operations,
                                            .section = &vb_geometry_section};
