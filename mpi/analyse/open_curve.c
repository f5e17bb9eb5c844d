/* The analysis `open_curve`: accuracy among every number of foreign names, exactly (kernels/openness/names_curve.h).
 *
 * How many names take each right image is counted where the image is, gathered on rank 0, and sorted there: what follows is a
 * function of those counts. An image of several vocabularies counts in each, as in Acc-C. */
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/names_curve.h"
#include "kernels/openness/names_errors.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/open_curve_section.h"
#include "mpi/evaluate/foreign_names.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

enum { WRONG = VB_NAMES_WRONG };
typedef vb_names_row image_row;

typedef struct curve_work {
    const vb_pair *pair;
    vb_foreign_names names;
    uint64_t *allowed; /* for each vocabulary, then for all of them together: a bit a name that is not kept out */
    int64_t *pools;    /* how many that are */
    size_t words;
    image_row *rows;
    size_t count, capacity;
} curve_work;

/* ---- who is kept out ---- */

static int find_allowed(curve_work *work, vb_error *err) {
    const vb_vocabularies *vocabularies = &work->pair->data->vocabularies;
    const vb_candidates *pool = &work->names.pool;
    size_t n = (size_t)vocabularies->count;
    uint8_t *excluded = vb_array((size_t)pool->count, 1, "excluded names", err),
            *of_any = vb_array((size_t)pool->count, 1, "excluded names", err);
    work->words = vb_similarity_pool_words(pool->count);
    work->allowed = vb_array((n + 1) * work->words, sizeof *work->allowed, "allowed names", err);
    work->pools = vb_array(n + 1, sizeof *work->pools, "allowed names", err);
    int status = excluded && of_any && work->allowed && work->pools ? 0 : -1;
    for (size_t v = 0; v <= n && !status; v++) {
        const uint8_t *out = v < n ? excluded : of_any;
        if (v < n) {
            memset(excluded, 0, (size_t)pool->count);
            status = vb_candidates_exclude(pool, vocabularies, (int)v, excluded, err);
        }
        for (int c = 0; c < pool->count && !status; c++) {
            of_any[c] |= out[c];
            if (out[c]) continue;
            work->allowed[v * work->words + (size_t)c / 64] |= (uint64_t)1 << c % 64;
            work->pools[v]++;
        }
    }
    vb_free(excluded);
    vb_free(of_any);
    return status;
}

/* ---- counting ---- */

static int32_t takers(const curve_work *work, const uint64_t *bits, int v) {
    const uint64_t *allowed = work->allowed + (size_t)v * work->words;
    int64_t count = 0;
    for (size_t w = 0; w < work->words; w++) count += __builtin_popcountll(bits[w] & allowed[w]);
    return (int32_t)count;
}

/* The vocabulary that alone holds the class, or WRONG. */
static int sole_holder(const curve_work *work, int class) {
    const int *offsets = work->names.memberships.offsets;
    return offsets[class + 1] - offsets[class] == 1 ? work->names.memberships.vocabularies[offsets[class]] : WRONG;
}

/* Names that take image i among the classes of all vocabularies but u; WRONG where a class does, or no right one is left. */
static int32_t takers_without(const curve_work *work, const vb_unit_views *views, int64_t i, int u, const uint8_t *beaten,
                              const uint64_t *bits) {
    const int64_t vocabularies = work->names.space.vocabularies,
                  end = vb_unit_views_first(views, i) + vb_unit_views_count(views, i);
    int64_t view = vb_unit_views_first(views, i);
    while (view < end && sole_holder(work, views->block.labels[view]) == u) view++;
    if (view == end) return WRONG;
    for (int w = 0; w < vocabularies; w++)
        if (w != u && beaten[view * vocabularies + w]) return WRONG;
    return takers(work, bits + view * (int64_t)work->words, (int)vocabularies);
}

/* Image i of the views. Where labels are sets, its first view is against the best of all right classes. */
static int count_image(curve_work *work, const vb_unit_views *views, int64_t i, const uint8_t *beaten, const uint64_t *bits,
                       vb_error *err) {
    const int64_t vocabularies = work->names.space.vocabularies, first = vb_unit_views_first(views, i),
                  words = (int64_t)work->words;
    int64_t view;
    int class, beating = 0, sole = WRONG, only = sole_holder(work, views->block.labels[first]), without = WRONG, beside = WRONG;
    for (int u = 0; u < vocabularies; u++)
        if (beaten[first * vocabularies + u]) sole = beating++ ? WRONG : u;
    if (sole >= 0) without = takers_without(work, views, i, sole, beaten, bits);
    if (vb_unit_views_count(views, i) < 2 || only == sole) only = WRONG;
    if (only >= 0) beside = takers_without(work, views, i, only, beaten, bits);
    const int32_t taken = beating ? WRONG : takers(work, bits + first * words, (int)vocabularies),
                  image = work->count ? work->rows[work->count - 1].image + 1 : 0;
    for (int v = 0; v < vocabularies; v++) {
        if (!vb_unit_views_in(views, i, v, &view, &class)) continue;
        if (vb_grow((void **)&work->rows, &work->capacity, work->count + 1, sizeof *work->rows, "images", err)) return -1;
        int32_t own = beaten[view * vocabularies + v] ? WRONG : takers(work, bits + view * words, v);
        work->rows[work->count++] = (image_row){v, class, own, taken, sole, without, only, beside, image};
    }
    return 0;
}

static int count_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    curve_work *work = context;
    if (!rows->count) return 0;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, vb_image_source_sets(work->pair->source), work->names.bank,
                                    &work->names.memberships, err);
    size_t count = status ? 0 : (size_t)views.block.rows;
    uint8_t *beaten = vb_array(count * (size_t)work->names.space.vocabularies, 1, "outcome of a unit", err);
    uint64_t *bits = vb_array(count * work->words, sizeof *bits, "names that take images", err);
    if (!beaten || !bits) status = -1;
    if (!status)
        status = vb_similarity_judge_pool(work->names.bank, &work->names.space, &views.block, work->pair->classifier->classes,
                                          beaten, bits, work->pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++) status = count_image(work, &views, i, beaten, bits, err);
    vb_free(beaten);
    vb_free(bits);
    vb_unit_views_close(&views);
    return status;
}

/* ---- figures, on rank 0 ---- */

/* The right images of some rows by h, and the curve that follows. */
typedef struct curve {
    vb_names_counts counts;
    int64_t *h, *right;
    double *accuracy; /* pool + 1; NULL where only some points are asked for */
} curve;

static void curve_free(curve *its) {
    vb_free(its->h);
    vb_free(its->right);
    vb_free(its->accuracy);
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of rows that are one vocabulary's, or one class's. all: among all classes. */
static int curve_new(curve *its, const image_row *rows, size_t n, bool all, int64_t pool, bool whole, vb_error *err) {
    *its = (curve){.h = vb_array(n, sizeof *its->h, "images", err), .right = vb_array(n, sizeof *its->right, "images", err)};
    size_t right = 0;
    if (!its->h || !its->right) return -1;
    for (size_t i = 0; i < n; i++) {
        int32_t h = all ? rows[i].all : rows[i].own;
        if (h != WRONG) its->h[right++] = h;
    }
    qsort(its->h, right, sizeof *its->h, by_value);
    int64_t entries = 0;
    for (size_t i = 0; i < right; i++) {
        if (!i || its->h[i] != its->h[entries - 1]) its->h[entries++] = its->h[i];
        its->right[entries - 1]++;
    }
    its->counts = (vb_names_counts){.pool = pool, .images = (int64_t)n, .h = its->h, .right = its->right, .entries = entries};
    if (!whole) return 0;
    if (!(its->accuracy = vb_array((size_t)pool + 1, sizeof *its->accuracy, "curve", err))) return -1;
    return vb_names_curve(&its->counts, its->accuracy, err);
}

/* What tables show of a whole curve, under two keys. */
static void set_summary(vb_json *json, json_t *to, const double *accuracy, int64_t pool) {
    int64_t half = vb_names_curve_half(accuracy, pool);
    vb_json_set_real(json, to, "area", vb_names_curve_area(accuracy, pool));
    if (half < 0) vb_json_set(json, to, "halved_at", json_null());
    else vb_json_set_integer(json, to, "halved_at", half);
}

/* accuracy at the points that the pool has, from the whole curve or one by one; then null. */
static json_t *values_at(vb_json *json, const curve *its, const int64_t *points, int count, bool errors) {
    json_t *list = vb_json_array(json);
    for (int p = 0; p < count; p++) {
        int64_t n = points[p];
        double value = NAN;
        if (n <= its->counts.pool && errors) value = vb_names_curve_error(&its->counts, n);
        else if (n <= its->counts.pool && its->accuracy) value = its->accuracy[n];
        else if (n <= its->counts.pool) value = vb_names_curve_at(&its->counts, n);
        vb_json_append_real(json, list, value);
    }
    return list;
}

/* [[h, right images], ...]: whence the accuracy at any n. */
static json_t *counts_json(vb_json *json, const curve *its) {
    json_t *list = vb_json_array(json);
    for (int64_t i = 0; i < its->counts.entries; i++) {
        const int64_t pair[2] = {its->h[i], its->right[i]};
        vb_json_append(json, list, vb_json_integer_list(json, pair, 2));
    }
    return list;
}

/* Means over vocabularies, of curves up to the smallest pool. */
typedef struct mean_curve {
    json_t *part; /* the results', where they go */
    int64_t pool;
    double *sum, *squares; /* of accuracies at every n, and of squared errors at the points */
} mean_curve;

typedef struct figures {
    vb_analysis_work *work;
    const curve_work *its;
    int64_t points[VB_NAMES_CURVE_POINTS], decades[VB_NAMES_CURVE_POINTS];
    int point_count, decade_count;
    mean_curve mean[2]; /* within the own vocabulary, and within all classes */
} figures;

static const char *const scopes[] = {"own", "all"};

static int add_vocabulary(figures *all, json_t *list, const image_row *rows, size_t n, int v, vb_error *err) {
    vb_json *json = all->work->json;
    const vb_vocabularies *vocabularies = &all->its->pair->data->vocabularies;
    json_t *entry = vb_json_object(json);
    int status = 0;
    vb_json_set_text(json, entry, "name", vocabularies->names[v]);
    vb_json_set_integer(json, entry, "images", (int64_t)n);
    for (int scope = 0; scope < 2 && !status; scope++) {
        curve its;
        int64_t pool = all->its->pools[scope ? vocabularies->count : v];
        if (!(status = curve_new(&its, rows, n, scope, pool, true, err))) {
            json_t *part = vb_json_set_object(json, entry, scopes[scope]);
            vb_json_set_integer(json, part, "names", pool);
            vb_json_set(json, part, "accuracy", values_at(json, &its, all->points, all->point_count, false));
            vb_json_set(json, part, "se", values_at(json, &its, all->points, all->point_count, true));
            set_summary(json, part, its.accuracy, pool);
            vb_json_set(json, part, "taken", counts_json(json, &its));
            mean_curve *mean = &all->mean[scope];
            for (int64_t i = 0; i <= mean->pool; i++) mean->sum[i] += its.accuracy[i];
            for (int p = 0; p < all->point_count && all->points[p] <= mean->pool; p++) {
                double error = vb_names_curve_error(&its.counts, all->points[p]);
                mean->squares[p] += error * error;
            }
        }
        curve_free(&its);
    }
    vb_json_append(json, list, entry);
    return status;
}

/* The class seen from its first vocabulary. */
static int add_class(figures *all, json_t *list, const image_row *rows, size_t n, vb_error *err) {
    vb_json *json = all->work->json;
    const vb_vocabularies *vocabularies = &all->its->pair->data->vocabularies;
    json_t *entry = vb_json_object(json);
    int status = 0;
    vb_json_set_text(json, entry, "name", vocabularies->class[rows->class].name);
    vb_json_set_integer(json, entry, "images", (int64_t)n);
    for (int scope = 0; scope < 2 && !status; scope++) {
        curve its;
        int64_t pool = all->its->pools[scope ? vocabularies->count : rows->vocabulary];
        if (!(status = curve_new(&its, rows, n, scope, pool, false, err)))
            vb_json_set(json, entry, scopes[scope], values_at(json, &its, all->decades, all->decade_count, false));
        curve_free(&its);
    }
    vb_json_append(json, list, entry);
    return status;
}

static int by_vocabulary(const void *a, const void *b) {
    const image_row *x = a, *y = b;
    return (x->vocabulary > y->vocabulary) - (x->vocabulary < y->vocabulary);
}

static int by_class_then_vocabulary(const void *a, const void *b) {
    const image_row *x = a, *y = b;
    int order = (x->class > y->class) - (x->class < y->class);
    return order ? order : by_vocabulary(a, b);
}

/* Runs of equal rows to `add`. classes: only the first vocabulary of each class. */
static int add_runs(figures *all, json_t *curves, image_row *rows, size_t n, vb_error *err) {
    vb_json *json = all->work->json;
    json_t *vocabularies = vb_json_set_array(json, curves, "vocabularies"), *classes;
    int status = 0;
    qsort(rows, n, sizeof *rows, by_vocabulary);
    for (size_t i = 0, next; i < n && !status; i = next) {
        for (next = i; next < n && rows[next].vocabulary == rows[i].vocabulary;) next++;
        status = add_vocabulary(all, vocabularies, rows + i, next - i, rows[i].vocabulary, err);
    }
    json_t *part = vb_json_set_object(json, curves, "classes");
    vb_json_set(json, part, "n", vb_json_integer_list(json, all->decades, all->decade_count));
    classes = vb_json_set_array(json, part, "list");
    qsort(rows, n, sizeof *rows, by_class_then_vocabulary);
    for (size_t i = 0, next; i < n && !status; i = next) {
        bool first = !i || rows[i - 1].class != rows[i].class;
        for (next = i; next < n && !by_class_then_vocabulary(&rows[next], &rows[i]);) next++;
        if (first) status = add_class(all, classes, rows + i, next - i, err);
    }
    return status;
}

/* The means over vocabularies, each with the same weight. */
static void set_means(const figures *all) {
    vb_json *json = all->work->json;
    const int n = all->its->names.space.vocabularies;
    for (int scope = 0; scope < 2; scope++) {
        const mean_curve *mean = &all->mean[scope];
        json_t *accuracy = vb_json_set_array(json, mean->part, "accuracy"), *errors = vb_json_set_array(json, mean->part, "se");
        for (int64_t i = 0; i <= mean->pool; i++) mean->sum[i] /= n;
        for (int p = 0; p < all->point_count; p++) {
            bool there = all->points[p] <= mean->pool;
            vb_json_append_real(json, accuracy, there ? mean->sum[all->points[p]] : NAN);
            vb_json_append_real(json, errors, there ? sqrt(mean->squares[p]) / n : NAN);
        }
        vb_json_set_integer(json, mean->part, "names", mean->pool);
        set_summary(json, mean->part, mean->sum, mean->pool);
    }
}

/* `errors` of a part: lists by kind, of the points that are `stride` apart. */
static void put_errors(vb_json *json, json_t *part, const vb_spread *at, size_t stride, int points) {
    for (int k = 0; k < VB_SPREAD_KINDS; k++) {
        json_t *list = vb_json_set_array(json, part, vb_spread_names[k]);
        for (int p = 0; p < points; p++) vb_json_append_real(json, list, at[(size_t)p * stride].error[k]);
    }
}

static int set_errors(const figures *all, const vb_names_rows *rows, json_t *curves, bool scope, vb_error *err) {
    vb_json *json = all->work->json;
    if (vb_json_end(json, "the open curve", err)) return -1; /* the list of classes tells how many errors there are */
    json_t *list = json_object_get(json_object_get(curves, "classes"), "list");
    const size_t stride = (size_t)rows->vocabularies + 1, classes = json_array_size(list);
    vb_spread *spreads = vb_array((size_t)all->point_count * stride, sizeof *spreads, "standard errors", err),
              *of_classes = vb_array((size_t)all->decade_count * classes, sizeof *of_classes, "standard errors", err);
    int status = spreads && of_classes ? vb_names_errors(spreads, rows, scope, all->points, all->point_count, err) : -1;
    if (!status) status = vb_names_errors_of_classes(of_classes, rows, scope, all->decades, all->decade_count, err);
    for (size_t t = 0; t < stride && !status; t++) {
        const json_t *whole = t ? json_array_get(json_object_get(curves, "vocabularies"), t - 1) : curves;
        json_t *errors = vb_json_set_object(json, json_object_get(whole, scopes[scope]), "errors");
        put_errors(json, errors, spreads + t, stride, all->point_count);
    }
    for (size_t c = 0; c < classes && !status; c++) {
        json_t *entry = json_array_get(list, c), *errors = json_object_get(entry, "errors");
        if (!errors) errors = vb_json_set_object(json, entry, "errors");
        put_errors(json, vb_json_set_object(json, errors, scopes[scope]), of_classes + c * (size_t)all->decade_count, 1,
                   all->decade_count);
    }
    vb_free(spreads);
    vb_free(of_classes);
    return status;
}

/* Rank 0; rows: of all ranks. */
static int make_figures(vb_analysis_work *work, const curve_work *its, image_row *rows, size_t n, vb_error *err) {
    const int vocabularies = its->names.space.vocabularies;
    figures all = {.work = work, .its = its};
    all.mean[0].pool = its->pools[0];
    all.mean[1].pool = its->pools[vocabularies];
    for (int v = 0; v < vocabularies; v++)
        if (its->pools[v] < all.mean[0].pool) all.mean[0].pool = its->pools[v];
    all.point_count = vb_names_curve_points(all.mean[0].pool, all.mean[1].pool, false, all.points);
    all.decade_count = vb_names_curve_points(all.mean[0].pool, all.mean[1].pool, true, all.decades);
    int status = 0;
    for (int scope = 0; scope < 2; scope++) {
        mean_curve *mean = &all.mean[scope];
        mean->sum = vb_array((size_t)mean->pool + 1, sizeof *mean->sum, "curve", err);
        mean->squares = vb_array(VB_NAMES_CURVE_POINTS, sizeof *mean->squares, "curve", err);
        if (!mean->sum || !mean->squares) status = -1;
    }
    json_t *curves = vb_json_set_object(work->json, work->figures, "open_curve");
    vb_json_set(work->json, curves, "pool", vb_foreign_names_json(work->json, &its->names));
    vb_json_set(work->json, curves, "n", vb_json_integer_list(work->json, all.points, all.point_count));
    for (int scope = 0; scope < 2; scope++) all.mean[scope].part = vb_json_set_object(work->json, curves, scopes[scope]);
    if (!status) status = add_runs(&all, curves, rows, n, err);
    if (!status) set_means(&all);
    const vb_names_rows images = {rows, n, vocabularies, its->names.space.classes, its->pools};
    for (int scope = 0; scope < 2 && !status; scope++) status = set_errors(&all, &images, curves, scope, err);
    for (int scope = 0; scope < 2; scope++) {
        vb_free(all.mean[scope].sum);
        vb_free(all.mean[scope].squares);
    }
    return status;
}

/* ---- the row ---- */

static int run_open_curve(vb_analysis_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    const vb_pair *pair = work->pair;
    /* Beside the plain texts the setting that stands for REPE, whose classes are blended and whose names are not. */
    if (!work->shown || !vb_foreign_names_fit(pair->experiment, pair->spec, pair->data->spec)) return 0;
    curve_work its = {.pair = pair};
    vb_blocks blocks = {0};
    image_row *rows = NULL;
    size_t n = 0;
    int status = vb_foreign_names_open(&its.names, work->context, pair, &pair->experiment->open_curve.pool, "open_curve", 1, err);
    if (!status) status = vb_comm_agree(comm, find_allowed(&its, err), err);
    if (!status) {
        status = vb_unit_pass(work->context, pair->source, count_unit, &its, err);
        status = vb_context_barrier(work->context, status, err);
    }
    if (!status) status = vb_comm_gather(comm, its.rows, its.count * sizeof *its.rows, &blocks, err);
    vb_free(its.rows);
    its.rows = NULL;
    if (!status && !comm->rank) {
        for (int r = 0; r < blocks.count; r++) n += blocks.sizes[r] / sizeof *rows;
        if (!(rows = vb_array(n, sizeof *rows, "images", err))) status = -1;
        char *to = (char *)rows;
        int32_t images = 0; /* of the ranks before */
        for (int r = 0; r < blocks.count && !status; to += blocks.sizes[r++]) {
            image_row *block = (image_row *)to;
            size_t count = blocks.sizes[r] / sizeof *rows;
            if (count) memcpy(block, blocks.bytes[r], blocks.sizes[r]);
            for (size_t i = 0; i < count; i++) block[i].image += images;
            if (count) images = block[count - 1].image + 1;
        }
        vb_comm_blocks_free(&blocks);
        if (!status) status = make_figures(work, &its, rows, n, err);
    }
    vb_comm_blocks_free(&blocks);
    vb_free(rows);
    vb_free(its.rows);
    vb_free(its.allowed);
    vb_free(its.pools);
    vb_foreign_names_close(&its.names);
    return vb_comm_agree(comm, status, err);
}

static int check_open_curve(const vb_analysis_subject *its, vb_error *err) {
    if (!vb_foreign_names_fit(its->experiment, its->spec, its->data->spec)) return 0;
    return vb_foreign_names_check(&its->experiment->open_curve.pool, its->spec, its->model, its->dim, "open_curve", 1, err);
}

/* Texts of classes and names twice, what judging takes, a bit a name and image of a unit, and rows: rank 0 holds those of all, in
 * an array that grew twofold and in one, or while they are sorted in two. */
static int64_t open_curve_bytes(const vb_pair_shape *s) {
    int64_t all = s->classes + s->names;
    return all * s->dim * 4 + (s->encoded ? s->names * s->dim * 4 : 0) + vb_similarity_judge_bytes(all, VB_UNIT_SAMPLES) +
           s->names * (VB_UNIT_SAMPLES / 8 + 200 + s->vocabularies / 8) + 3 * s->images * (int64_t)sizeof(image_row);
}

static double open_curve_operations(const vb_pair_shape *s) {
    return 2.0 * (double)s->images * (double)(s->classes + s->names) * (double)s->dim;
}

const vb_analysis vb_analysis_open_curve = {.check = check_open_curve,
                                            .run = run_open_curve,
                                            .bytes = open_curve_bytes,
                                            .operations = open_curve_operations,
                                            .section = &vb_open_curve_section};
