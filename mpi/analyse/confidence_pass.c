/* Names in random orders, and each rank's images with them. */
#include "mpi/analyse/confidence_pass.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/similarity.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/foreign_names.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

/* While the units are visited. */
typedef struct confidence_work {
    vb_confidence_pass *pass;
    const vb_pair *pair;
    vb_label_space space; /* of the classes, each a thing of its own */
    vb_foreign_names names;
    vb_memberships memberships; /* of the classes */
    vb_text_bank *bank;         /* of the classes alone, where there are no names */
    vb_device_products device;  /* of that bank */
    int *allowed;               /* names of the pool that are kept out of no vocabulary */
    int allowed_count;
    int *order; /* draws x allowed */
    vb_feature_block class_block, name_block;
    vb_mass_texts texts;
    size_t capacity;
} confidence_work;

/* ---- rows ---- */

/* A row: two bits a vocabulary, the last one being all classes: whether it has a right class, and whether that comes first there;
 * then for each draw how many names arrive before one takes the image, of sets in each vocabulary; then masses. */
enum { HAS = 0 };
static int words(int vocabularies) { return (vocabularies + 1 + 63) / 64; }
static int64_t right_cell(const vb_confidence_pass *pass) { return HAS + words(pass->vocabularies); }
static int64_t first_cell(const vb_confidence_pass *pass) { return right_cell(pass) + words(pass->vocabularies); }
static int64_t names_cell(const vb_confidence_pass *pass, int v, int draw) {
    return first_cell(pass) + (pass->sets ? (int64_t)v * pass->draws : 0) + draw;
}
static int64_t mass_cell(const vb_confidence_pass *pass) {
    return first_cell(pass) + (pass->sets ? pass->vocabularies + 1 : 1) * (int64_t)pass->draws;
}

static const vb_confidence_cell *row_of(const vb_confidence_pass *pass, int64_t i) { return pass->rows + i * pass->stride; }

static bool bit_of(const vb_confidence_pass *pass, int64_t i, int64_t cell, int v) {
    return row_of(pass, i)[cell + v / 64].bits >> v % 64 & 1;
}

bool vb_confidence_pass_has(const vb_confidence_pass *pass, int64_t i, int v) { return bit_of(pass, i, HAS, v); }

bool vb_confidence_pass_right(const vb_confidence_pass *pass, int64_t i, int v, int draw, int p) {
    return bit_of(pass, i, right_cell(pass), v) && (!p || row_of(pass, i)[names_cell(pass, v, draw)].integer >= pass->points[p]);
}

static vb_mass mass_at(const vb_confidence_cell *cells, int64_t m) { return (vb_mass){cells[2 * m].real, cells[2 * m + 1].real}; }

vb_mass vb_confidence_pass_mass(const vb_confidence_pass *pass, int64_t i, int v, int draw, int p) {
    const vb_confidence_cell *cells = row_of(pass, i) + mass_cell(pass);
    vb_mass own = mass_at(cells, v);
    if (!p) return own;
    return vb_confidence_join(own, mass_at(cells, pass->vocabularies + 1 + (int64_t)draw * (pass->point_count - 1) + p - 1),
                              pass->scale);
}

int vb_confidence_pass_draws(const vb_confidence_pass *pass, int p) { return p && p + 1 < pass->point_count ? pass->draws : 1; }

/* ---- names ---- */

static int find_allowed(confidence_work *work, vb_error *err) {
    const vb_vocabularies *vocabularies = &work->pair->data->vocabularies;
    const vb_candidates *pool = &work->names.pool;
    uint8_t *excluded = vb_array((size_t)pool->count, 1, "excluded names", err);
    work->allowed = vb_array((size_t)pool->count, sizeof *work->allowed, "allowed names", err);
    int status = excluded && work->allowed ? 0 : -1;
    for (int v = 0; v < vocabularies->count && !status; v++) status = vb_candidates_exclude(pool, vocabularies, v, excluded, err);
    for (int c = 0; c < pool->count && !status; c++)
        if (!excluded[c]) work->allowed[work->allowed_count++] = c;
    vb_free(excluded);
    return status;
}

/* Orders of the allowed names, and these in a block. */
static int draw_orders(confidence_work *work, vb_error *err) {
    const vb_experiment *experiment = work->pair->experiment;
    vb_confidence_pass *pass = work->pass;
    size_t n = (size_t)work->allowed_count, dim = (size_t)work->pair->classifier->dim;
    const float *from = work->names.texts + (size_t)work->pair->classifier->classes * dim;
    pass->draws = n ? (int)experiment->trials : 0;
    work->order = vb_array((size_t)pass->draws * n, sizeof *work->order, "orders of names", err);
    float *rows = vb_buffer(n * dim, sizeof *rows, "embeddings of foreign names", err);
    int status = work->order && rows ? 0 : -1;
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, (uint32_t)experiment->seed);
    for (int d = 0; d < pass->draws && !status; d++) {
        int *order = work->order + (size_t)d * n;
        for (size_t i = 0; i < n; i++) order[i] = (int)i;
        vb_numpy_rng_permutation(&rng, order, (int)n);
    }
    for (size_t i = 0; i < n && !status; i++) memcpy(rows + i * dim, from + (size_t)work->allowed[i] * dim, dim * sizeof *rows);
    if (!status) status = vb_features_block_new(&work->name_block, rows, (int64_t)n, (int)dim, err);
    vb_free(rows);
    return status;
}

bool vb_confidence_pass_fits(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_state *data) {
    if (data->part_count && data->space.equivalence && data->joined.shared) return false;
    return !experiment->open_curve.pool.asked || vb_foreign_names_fit(experiment, model, data->spec);
}

/* Everything but the images. Collective. */
static int open_work(confidence_work *work, vb_context *context, vb_error *err) {
    const vb_pair *pair = work->pair;
    const vb_classifier *classifier = pair->classifier;
    const vb_names_spec *spec = &pair->experiment->open_curve.pool;
    vb_confidence_pass *pass = work->pass;
    work->space = pair->data->space;
    work->space.equivalence = NULL; /* of classes with themselves alone */
    if (spec->asked && vb_foreign_names_open(&work->names, context, pair, spec, "open_curve", 1, err)) return -1;
    int status = 0;
    if (spec->asked) status = find_allowed(work, err);
    if (!status && spec->asked) status = draw_orders(work, err);
    if (!status && !spec->asked)
        status = vb_device_products_bank(&work->device, &work->bank, context, pair, classifier->texts, classifier->classes,
                                         classifier->dim, err);
    if (!status) status = vb_features_block_new(&work->class_block, classifier->texts, classifier->classes, classifier->dim, err);
    if (!status) status = vb_label_space_memberships_new(&work->memberships, &work->space, err);
    work->class_block.similarity = work->name_block.similarity = pair->spec->similarity;
    pass->vocabularies = pair->data->space.vocabularies;
    pass->sets = vb_image_source_sets(pair->source) != NULL;
    pass->point_count = vb_names_curve_points(work->allowed_count, work->allowed_count, true, pass->points);
    work->texts = (vb_mass_texts){.space = &work->space,
                                  .classes = &work->class_block,
                                  .names = &work->name_block,
                                  .draws = pass->draws,
                                  .order = work->order,
                                  .points = pass->points,
                                  .point_count = pass->point_count,
                                  .scale = pass->scale};
    pass->stride = mass_cell(pass) + 2 * vb_masses_count(&work->texts);
    if (!status && spec->asked && !context->comm.rank) {
        vb_json json = {0};
        pass->pool = vb_foreign_names_json(&json, &work->names);
        vb_json_set_integer(&json, pass->pool, "names", work->allowed_count);
        status = vb_json_end(&json, "the analyses", err);
    }
    return vb_comm_agree(&context->comm, status, err);
}

static void close_work(confidence_work *work) {
    vb_features_block_free(&work->class_block);
    vb_features_block_free(&work->name_block);
    vb_similarity_bank_free(work->bank);
    vb_device_products_close(&work->device);
    vb_label_space_memberships_free(&work->memberships);
    vb_free(work->allowed);
    vb_free(work->order);
    vb_foreign_names_close(&work->names);
}

/* ---- images ---- */

/* How many names arrive before the first one that takes the image; all of them where none does. */
static int64_t names_before(const confidence_work *work, int draw, const uint64_t *takers) {
    const int *order = work->order + (int64_t)draw * work->allowed_count;
    int64_t n = 0;
    for (; n < work->allowed_count; n++) {
        int c = work->allowed[order[n]];
        if (takers[c / 64] >> c % 64 & 1) break;
    }
    return n;
}

/* Of vocabulary v, or all classes: the image against the view's class. */
static void fill_view(const confidence_work *work, vb_confidence_cell *row, int v, const uint8_t *beaten,
                      const uint64_t *takers) {
    const vb_confidence_pass *pass = work->pass;
    const uint64_t bit = (uint64_t)1 << v % 64;
    bool right = v == pass->vocabularies || !beaten[v];
    for (int u = 0; u < pass->vocabularies && v == pass->vocabularies; u++) right &= !beaten[u];
    row[HAS + v / 64].bits |= bit;
    if (right) row[right_cell(pass) + v / 64].bits |= bit;
    if (!pass->sets && v < pass->vocabularies) return; /* the same names take the image everywhere */
    for (int d = 0; d < pass->draws; d++) row[names_cell(pass, v, d)].integer = names_before(work, d, takers);
}

static void fill_row(const confidence_work *work, vb_confidence_cell *row, const vb_unit_views *views, int64_t i,
                     const uint8_t *beaten, const uint64_t *takers) {
    const int n = work->pass->vocabularies;
    const size_t pool = work->bank ? 0 : vb_similarity_pool_words(work->names.pool.count);
    for (int v = 0; v <= n; v++) {
        int64_t view = vb_unit_views_first(views, i);
        int class;
        if (v < n && !vb_unit_views_in(views, i, v, &view, &class)) continue;
        fill_view(work, row, v, beaten + view * n, takers + (size_t)view * pool);
    }
}

static int add_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    confidence_work *work = context;
    vb_confidence_pass *pass = work->pass;
    const vb_pair *pair = work->pair;
    if (!rows->count) return 0;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, vb_image_source_sets(pair->source), work->bank ? work->bank : work->names.bank,
                                    work->bank ? &work->memberships : &work->names.memberships, err);
    const size_t n = (size_t)rows->count, count = status ? 0 : (size_t)views.block.rows;
    const size_t pool = work->bank ? 0 : vb_similarity_pool_words(work->names.pool.count);
    const int64_t masses = vb_masses_count(&work->texts);
    uint8_t *beaten = vb_array(count * (size_t)pass->vocabularies, 1, "outcome of a unit", err);
    uint64_t *takers = vb_array(count * pool, sizeof *takers, "names that take images", err);
    vb_mass *mass = vb_array(n * (size_t)masses, sizeof *mass, "masses of a unit", err);
    if (!beaten || !takers || !mass) status = -1;
    if (!status && work->bank)
        status = vb_similarity_judge(work->bank, &work->space, &views.block, beaten, NULL, pair->threads, err);
    else if (!status)
        status = vb_similarity_judge_pool(work->names.bank, &work->names.space, &views.block, pair->classifier->classes, beaten,
                                          takers, pair->threads, err);
    if (!status) status = vb_masses(&work->texts, rows->rows, rows->count, mass, pair->threads, err);
    if (!status)
        status = vb_grow((void **)&pass->rows, &work->capacity, (size_t)(pass->count + rows->count) * (size_t)pass->stride,
                         sizeof *pass->rows, "confidences", err);
    for (size_t i = 0; i < n && !status; i++) {
        vb_confidence_cell *row = pass->rows + pass->count++ * pass->stride;
        fill_row(work, row, &views, (int64_t)i, beaten, takers);
        memcpy(row + mass_cell(pass), mass + (int64_t)i * masses, (size_t)masses * sizeof *mass);
    }
    vb_free(beaten);
    vb_free(takers);
    vb_free(mass);
    vb_unit_views_close(&views);
    return status;
}

/* All ranks' rows on rank 0. Collective. */
static int gather_rows(vb_confidence_pass *pass, vb_comm *comm, vb_error *err) {
    vb_blocks blocks = {0};
    size_t row = (size_t)pass->stride * sizeof *pass->rows, size = 0;
    if (vb_comm_gather(comm, pass->rows, (size_t)pass->count * row, &blocks, err)) return -1;
    vb_free(pass->rows);
    pass->rows = comm->rank ? NULL : vb_comm_blocks_join(&blocks, "confidences", &size, err);
    pass->count = (int64_t)(size / row);
    vb_comm_blocks_free(&blocks);
    return vb_comm_agree(comm, comm->rank || pass->rows ? 0 : -1, err);
}

/* ---- the whole ---- */

int vb_confidence_pass_scale(double *scale, const vb_model_spec *spec, const vb_model *model, const char *scale_for,
                             vb_error *err) {
    const double own = model ? (double)vb_clip_describe(model->clip)->logit_scale : 0;
    *scale = isfinite(spec->logit_scale) ? spec->logit_scale : own > 0 && isfinite(own) ? own : NAN;
    if (!scale_for || *scale > 0) return 0;
    return vb_errorf(err, VB_ECONFIG, "model '%s': the analysis '%s' needs its key 'logit_scale': %s", spec->name, scale_for,
                     model ? "its weights have none" : "embeddings do not tell it");
}

int vb_confidence_pass_check(const vb_experiment *experiment, const vb_model_spec *spec, const vb_model *model, int dim,
                             const vb_dataset_state *data, const char *scale_for, vb_error *err) {
    const vb_names_spec *names = &experiment->open_curve.pool;
    double scale;
    if (!vb_confidence_pass_fits(experiment, spec, data)) return 0;
    if (vb_confidence_pass_scale(&scale, spec, model, scale_for, err)) return -1;
    return names->asked ? vb_foreign_names_check(names, spec, model, dim, "open_curve", 1, err) : 0;
}

int vb_confidence_pass_run(vb_confidence_pass *pass, vb_context *context, const vb_pair *pair, const char *scale_for,
                           vb_error *err) {
    if (vb_confidence_pass_scale(&pass->scale, pair->spec, pair->source->model, scale_for, err)) return -1;
    if (pass->done) return 0;
    confidence_work work = {.pass = pass, .pair = pair};
    int status = open_work(&work, context, err);
    if (!status) {
        status = vb_unit_pass(context, pair->source, add_unit, &work, err);
        status = vb_context_barrier(context, status, err);
    }
    close_work(&work);
    if (!status) status = gather_rows(pass, &context->comm, err);
    pass->done = !status;
    return status;
}

void vb_confidence_pass_free(vb_confidence_pass *pass) {
    json_decref(pass->pool);
    vb_free(pass->rows);
    *pass = (vb_confidence_pass){0};
}

double vb_confidence_pass_spread(const double *values, int draws, double *deviation) {
    double sum = 0, squares = 0;
    for (int d = 0; d < draws; d++) sum += values[d] - values[0]; /* equal values have their mean exactly, and no deviation */
    double mean = draws ? values[0] + sum / draws : NAN;
    for (int d = 0; d < draws; d++) squares += (values[d] - mean) * (values[d] - mean);
    *deviation = draws > 1 ? sqrt(squares / (draws - 1)) : NAN;
    return mean;
}

void vb_confidence_pass_head(const vb_confidence_pass *pass, const vb_pair *pair, vb_json *json, json_t *to) {
    vb_json_set_real(json, to, "logit_scale", pass->scale);
    if (pass->pool) vb_json_set(json, to, "pool", json_incref(pass->pool));
    vb_json_set(json, to, "n", vb_json_integer_list(json, pass->points, pass->point_count));
    if (!pass->draws) return;
    vb_json_set_integer(json, to, "draws", pass->draws);
    vb_json_set_integer(json, to, "seed", pair->experiment->seed);
}

/* Powers of ten from 1 to some names, none, and all. */
static int64_t points_below(int64_t names) {
    int64_t points[VB_NAMES_CURVE_POINTS];
    return names ? vb_names_curve_points(names, names, true, points) : 1;
}

int64_t vb_confidence_pass_bytes(const vb_pair_shape *s) {
    int64_t all = s->classes + s->names, draws = s->names ? s->trials : 0;
    int64_t row = 8 * (4 + s->vocabularies / 32 + draws * (s->sets ? s->vocabularies + 1 : 1) +
                       2 * (s->vocabularies + 1 + draws * (points_below(s->names) - 1)));
    /* Texts of both, packed too; the names' once more while they are encoded, or put in a row. */
    return all * s->dim * 4 * 2 + s->names * s->dim * 4 + s->names * (200 + 4 * draws) +
           vb_similarity_judge_bytes(all, VB_UNIT_SAMPLES) + vb_masses_bytes(s->classes, s->names, s->threads) +
           s->names * VB_UNIT_SAMPLES / 8 + 2 * s->images * row;
}

double vb_confidence_pass_operations(const vb_pair_shape *s) {
    return 2.0 * (double)s->images * (double)(s->classes + s->names) * (double)s->dim * (s->names ? 2 : 1);
}
