/* The analysis `spectrum`: singular values of images and of texts, from the Gram matrix as integer sums over units and ranks.
 *
 * Its eigenvalues are computed twice, by a solver of one rank and by ScaLAPACK, as far as one rank can; they must agree. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/openness/features.h"
#include "kernels/base/memory.h"
#include "kernels/openness/spectrum.h"
#include "mpi/analyse/analysis.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/ranks/scalapack.h"

/* Up to here one rank's own solver takes seconds: its values, the same at any number of ranks, are reported, and ScaLAPACK's must
 * agree with them. Beyond, ScaLAPACK's are reported, to as many digits as the grid cannot change. */
enum { REPLICATED_DIMENSIONS = 2048 };
static const double TOLERANCE = 1e-11; /* of eigenvalues, in parts of their sum */

typedef struct gram {
    int64_t *sums; /* dim x dim, times 2^bits; on every rank */
    int64_t rows;
    int dim, bits, threads;
} gram;

/* The Gram matrix over the number of rows: its trace is 1. */
static double element(const void *context, int i, int j) {
    const gram *g = context;
    return ldexp((double)g->sums[(int64_t)i * g->dim + j], -g->bits) / (double)g->rows;
}

static int add_rows(gram *g, const float *rows, int64_t count, int threads, vb_error *err) {
    double *inverse = vb_array((size_t)count, sizeof *inverse, "norms of embeddings", err);
    int status = inverse ? vb_features_inverse_norms(rows, count, g->dim, inverse, err) : -1;
    if (!status) status = vb_spectrum_gram_add(g->sums, g->bits, rows, inverse, count, g->dim, threads, err);
    vb_free(inverse);
    g->rows += count;
    return status;
}

static int add_image_rows(void *work, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    gram *g = work;
    return rows->count ? add_rows(g, rows->rows, rows->count, g->threads, err) : 0;
}

static int add_images(gram *g, vb_context *context, const vb_pair *pair, vb_error *err) {
    g->bits = vb_spectrum_gram_bits(pair->source->images);
    return vb_unit_pass(context, pair->source, add_image_rows, g, err);
}

static int add_texts(gram *g, vb_context *context, const vb_pair *pair, vb_error *err) {
    const vb_classifier *classifier = pair->classifier;
    int status = 0;
    g->bits = vb_spectrum_gram_bits(classifier->classes);
    for (int64_t b = context->comm.rank; !status && b * VB_GRAM_ROWS < classifier->classes; b += context->comm.size) {
        int64_t first = b * VB_GRAM_ROWS, left = classifier->classes - first;
        if ((status = vb_context_check_stop(context, err))) break;
        status = add_rows(g, classifier->texts + first * g->dim, left < VB_GRAM_ROWS ? left : VB_GRAM_ROWS, pair->threads, err);
    }
    return status;
}

/* The sum over ranks, on all of them. */
static int share_gram(gram *g, vb_comm *comm, vb_error *err) {
    size_t elements = (size_t)g->dim * (size_t)g->dim;
    if (vb_comm_sum_to_root(comm, g->sums, elements, err) || vb_comm_sum_to_root(comm, &g->rows, 1, err)) return -1;
    if (vb_comm_broadcast(comm, g->sums, elements * sizeof *g->sums, err)) return -1;
    return vb_comm_broadcast(comm, &g->rows, sizeof g->rows, err);
}

/* Rank 0: replaces ScaLAPACK's values by the replicated solver's, which must be the same but for the tolerance. */
static int check_eigenvalues(const gram *g, double *values, vb_error *err) {
    size_t dim = (size_t)g->dim;
    double *matrix = vb_array(dim * dim, sizeof *matrix, "Gram matrix", err),
           *own = vb_array(dim, sizeof *own, "eigenvalues", err);
    int status = matrix && own ? 0 : -1;
    if (!status) {
        for (int i = 0; i < g->dim; i++)
            for (int j = 0; j < g->dim; j++) matrix[(size_t)i * dim + (size_t)j] = element(g, i, j);
        status = vb_spectrum_eigenvalues(matrix, g->dim, own, err);
    }
    for (int i = 0; i < g->dim && !status; i++) {
        if (!(fabs(own[i] - values[i]) <= TOLERANCE))
            status = vb_errorf(err, VB_EINTERNAL, "eigenvalue %d of the Gram matrix: %.17g, but %.17g by ScaLAPACK", i, own[i],
                               values[i]);
        values[i] = own[i];
    }
    vb_free(matrix);
    vb_free(own);
    return status;
}

static json_t *spectrum_json(vb_json *json, const gram *g, double *values, bool replicated) {
    int n = g->rows < g->dim ? (int)g->rows : g->dim;
    json_t *object = vb_json_object(json);
    vb_json_set_integer(json, object, "rows", g->rows);
    vb_json_set_text(json, object, "engine", replicated ? "replicated" : "scalapack");
    for (int i = 0; i < n; i++) {
        values[i] = values[i] > 0 ? sqrt(values[i] * (double)g->rows) : 0;
        if (!replicated) {
            char text[32];
            snprintf(text, sizeof text, "%.6g", values[i]);
            values[i] = strtod(text, NULL);
        }
    }
    vb_json_set_real(json, object, "effective_rank", vb_features_effective_rank(values, n));
    vb_json_set(json, object, "singular_values", vb_json_real_list(json, values, n));
    return object;
}

/* Of the rows that `add` adds. Collective. */
static int spectrum_of(vb_analysis_work *work, int (*add)(gram *, vb_context *, const vb_pair *, vb_error *), json_t *to,
                       const char *key, vb_error *err) {
    vb_context *context = work->context;
    const vb_pair *pair = work->pair;
    vb_comm *comm = &context->comm;
    gram g = {.dim = pair->source->dim, .threads = pair->threads};
    size_t dim = (size_t)g.dim;
    bool replicated = g.dim <= REPLICATED_DIMENSIONS;
    double *values = vb_array(dim, sizeof *values, "eigenvalues", err);
    g.sums = vb_array(dim * dim, sizeof *g.sums, "Gram matrix", err);
    int status = g.sums && values ? add(&g, context, pair, err) : -1;
    status = vb_context_barrier(context, status, err);
    if (!status) status = share_gram(&g, comm, err);
    if (!status) status = vb_scalapack_eigenvalues(comm, g.dim, element, &g, values, err);
    if (!status && !comm->rank && replicated) status = check_eigenvalues(&g, values, err);
    status = vb_comm_agree(comm, status, err);
    if (!status && !comm->rank) vb_json_set(work->json, to, key, spectrum_json(work->json, &g, values, replicated));
    vb_free(g.sums);
    vb_free(values);
    return status;
}

static int run_spectrum(vb_analysis_work *work, vb_error *err) {
    json_t *spectrum = vb_json_set_object(work->json, work->figures, "spectrum");
    int status = work->images ? spectrum_of(work, add_images, spectrum, "image", err) : 0;
    return status ? status : spectrum_of(work, add_texts, spectrum, "text", err);
}

/* Sums, rank 0's matrix, ScaLAPACK's part of it, and the work space of the products. */
static int64_t spectrum_bytes(const vb_pair_shape *s) {
    return s->dim * s->dim * 8 * 2 + s->dim * s->dim * 8 / s->ranks + 24 * VB_UNIT_SAMPLES * s->dim +
           (int64_t)s->threads * 64 * 8 * s->dim;
}

static double spectrum_operations(const vb_pair_shape *s) {
    double images = (double)s->images, classes = (double)s->classes, dim = (double)s->dim;
    return 2 * (images + classes) * dim * dim + 8 * dim * dim * dim;
}

const vb_analysis vb_analysis_spectrum = {.run = run_spectrum, .bytes = spectrum_bytes, .operations = spectrum_operations};
