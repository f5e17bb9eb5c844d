/* The analysis `calibration`: whether the softmax value of the predicted class is how often it is right, within the own
 * vocabulary, among all classes, and with n foreign names beside them. */
#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/confidence_sections.h"

enum { OWN, ALL, SCOPES };
static const char *const scope_names[SCOPES] = {"own", "all"};
enum { ECE, CONFIDENCE, ACCURACY, FIGURES };
static const char *const figure_names[FIGURES] = {"ece", "confidence", "accuracy"};
static const char *const deviation_names[FIGURES] = {"ece_sd", "confidence_sd", "accuracy_sd"};

/* One scope, point and draw: of each vocabulary's images, then of all images. */
typedef struct calibration_work {
    const vb_confidence_pass *pass;
    vb_calibration *bins;
    double *figures; /* by vocabulary (and one more), figure, point and draw */
} calibration_work;

static double *figure_at(const calibration_work *work, int v, int figure, int p, int draw) {
    return &work->figures[(((int64_t)v * FIGURES + figure) * work->pass->point_count + p) * (work->pass->draws + 1) + draw];
}

static void fill_bins(const calibration_work *work, int scope, int draw, int p) {
    const vb_confidence_pass *pass = work->pass;
    const int n = pass->vocabularies;
    memset(work->bins, 0, (size_t)(n + 1) * sizeof *work->bins);
    for (int64_t i = 0; i < pass->count; i++) {
        double confidence = NAN;
        bool right = false;
        if (scope == ALL) {
            confidence = vb_confidence_of(vb_confidence_pass_mass(pass, i, n, draw, p));
            right = vb_confidence_pass_right(pass, i, n, draw, p);
            vb_confidence_add(&work->bins[n], confidence, right);
        }
        for (int v = 0; v < n; v++) {
            if (!vb_confidence_pass_has(pass, i, v)) continue;
            if (scope == OWN) {
                confidence = vb_confidence_of(vb_confidence_pass_mass(pass, i, v, draw, p));
                right = vb_confidence_pass_right(pass, i, v, draw, p);
                vb_confidence_add(&work->bins[n], confidence, right);
            }
            vb_confidence_add(&work->bins[v], confidence, right);
        }
    }
}

/* The bins of all images: images, right ones, and mean confidences. */
static void add_reliability(const vb_calibration *bins, int64_t names, vb_json *json, json_t *list) {
    json_t *entry = vb_json_object(json);
    vb_json_set_integer(json, entry, "n", names);
    vb_json_set(json, entry, "images", vb_json_integer_list(json, bins->count, VB_CALIBRATION_BINS));
    vb_json_set(json, entry, "right", vb_json_integer_list(json, bins->right, VB_CALIBRATION_BINS));
    json_t *means = vb_json_set_array(json, entry, "confidence");
    for (int b = 0; b < VB_CALIBRATION_BINS; b++)
        vb_json_append_real(json, means,
                            bins->count[b] ? vb_fixed_sum_value(&bins->confidence[b]) / (double)bins->count[b] : NAN);
    vb_json_append(json, list, entry);
}

static void set_figures(const calibration_work *work, int v, vb_json *json, json_t *part, bool deviations) {
    const vb_confidence_pass *pass = work->pass;
    for (int f = 0; f < FIGURES; f++) {
        json_t *means = vb_json_set_array(json, part, figure_names[f]);
        json_t *spread = deviations && pass->draws ? vb_json_set_array(json, part, deviation_names[f]) : NULL;
        for (int p = 0; p < pass->point_count; p++) {
            double deviation,
                mean = vb_confidence_pass_spread(figure_at(work, v, f, p, 0), vb_confidence_pass_draws(pass, p), &deviation);
            vb_json_append_real(json, means, mean);
            if (spread) vb_json_append_real(json, spread, deviation);
        }
    }
}

/* vocabularies: their entries, a list. */
static void add_scope(const calibration_work *work, int scope, vb_json *json, json_t *to, json_t *vocabularies) {
    const vb_confidence_pass *pass = work->pass;
    const int n = pass->vocabularies;
    json_t *part = vb_json_set_object(json, to, scope_names[scope]), *reliability = vb_json_array(json);
    for (int p = 0; p < pass->point_count; p++)
        for (int d = 0; d < vb_confidence_pass_draws(pass, p); d++) {
            fill_bins(work, scope, d, p);
            for (int v = 0; v <= n; v++) {
                vb_calibration_figures found = vb_confidence_figures(&work->bins[v]);
                const double figures[FIGURES] = {found.ece, found.confidence, found.accuracy};
                for (int f = 0; f < FIGURES; f++) *figure_at(work, v, f, p, d) = figures[f];
                json_t *entry = json_array_get(vocabularies, (size_t)v);
                if (!p && scope == OWN && v < n) vb_json_set_integer(json, entry, "images", found.count);
            }
            if (!p || p + 1 == pass->point_count) add_reliability(&work->bins[n], pass->points[p], json, reliability);
        }
    set_figures(work, n, json, part, true);
    vb_json_set(json, part, "reliability", reliability);
    for (int v = 0; v < n; v++)
        set_figures(work, v, json, vb_json_set_object(json, json_array_get(vocabularies, (size_t)v), scope_names[scope]), false);
}

static int make_figures(vb_analysis_work *its, vb_error *err) {
    const vb_confidence_pass *pass = its->confidences;
    vb_json *json = its->json;
    size_t n = (size_t)pass->vocabularies + 1;
    calibration_work work = {.pass = pass};
    work.bins = vb_array(n, sizeof *work.bins, "calibration", err);
    work.figures =
        vb_array(n * FIGURES * (size_t)pass->point_count * (size_t)(pass->draws + 1), sizeof *work.figures, "calibration", err);
    int status = work.bins && work.figures ? 0 : -1;
    if (!status) {
        json_t *to = vb_json_set_object(json, its->figures, "calibration"), *vocabularies = vb_json_array(json);
        vb_confidence_pass_head(pass, its->pair, json, to);
        vb_json_set_integer(json, to, "bins", VB_CALIBRATION_BINS);
        for (int v = 0; v < pass->vocabularies; v++) {
            json_t *entry = vb_json_object(json);
            vb_json_set_text(json, entry, "name", its->pair->data->vocabularies.names[v]);
            vb_json_append(json, vocabularies, entry);
        }
        for (int scope = 0; scope < SCOPES; scope++) add_scope(&work, scope, json, to, vocabularies);
        vb_json_set(json, to, "vocabularies", vocabularies);
    }
    vb_free(work.bins);
    vb_free(work.figures);
    return status;
}

static int run_calibration(vb_analysis_work *work, vb_error *err) {
    const vb_pair *pair = work->pair;
    if (!work->shown || !vb_confidence_pass_fits(pair->experiment, pair->spec, pair->data)) return 0; /* as the open curve */
    if (vb_confidence_pass_run(work->confidences, work->context, pair, "calibration", err)) return -1;
    return vb_comm_agree(&work->context->comm, work->context->comm.rank ? 0 : make_figures(work, err), err);
}

static int check_calibration(const vb_analysis_subject *subject, vb_error *err) {
    return vb_confidence_pass_check(subject->experiment, subject->spec, subject->model, subject->dim, subject->data,
                                    "calibration", err);
}

const vb_analysis vb_analysis_calibration = {.check = check_calibration,
                                             .run = run_calibration,
                                             .bytes = vb_confidence_pass_bytes,
                                             .operations = vb_confidence_pass_operations,
                                             .section = &vb_calibration_section};
