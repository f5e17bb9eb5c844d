/* The analysis `open_set`: when the true class is absent. For each vocabulary its own images against all others, by the largest
 * similarity with its names and by the largest softmax value, also with foreign names beside them. */
#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/confidence_sections.h"

enum { SIMILARITY, SOFTMAX, SCORES };
static const char *const score_names[SCORES] = {"similarity", "softmax"};
enum { AUROC, FPR95, FIGURES };
static const char *const figure_names[FIGURES] = {"auroc", "fpr95"};
static const char *const deviation_names[FIGURES] = {"auroc_sd", "fpr95_sd"};

/* Sums over the vocabularies that have both kinds of images, by score, figure, point and draw. */
typedef struct set_sums {
    const vb_confidence_pass *pass;
    double *sums;
    int vocabularies; /* in them */
    double *present, *absent;
    double *of_draws; /* the figures of a vocabulary at a point: by figure and draw */
} set_sums;

static double *sum_at(const set_sums *all, int score, int figure, int p, int draw) {
    return &all->sums[(((int64_t)score * FIGURES + figure) * all->pass->point_count + p) * (all->pass->draws + 1) + draw];
}

static vb_separation separate(const set_sums *all, int score, int v, int p, int draw) {
    const vb_confidence_pass *pass = all->pass;
    int64_t present = 0, absent = 0;
    for (int64_t i = 0; i < pass->count; i++) {
        vb_mass mass = vb_confidence_pass_mass(pass, i, v, draw, p);
        double value = score == SIMILARITY ? mass.top : vb_confidence_of(mass);
        if (vb_confidence_pass_has(pass, i, v)) all->present[present++] = value;
        else all->absent[absent++] = value;
    }
    return vb_confidence_separate(all->present, present, all->absent, absent);
}

/* A vocabulary's figures at all points, means over the draws; into the sums where they are defined. */
static void add_score(set_sums *all, vb_json *json, json_t *entry, int score, int v, bool defined) {
    const vb_confidence_pass *pass = all->pass;
    if (score == SOFTMAX && !(pass->scale > 0)) {
        vb_json_set(json, entry, score_names[score], json_null());
        return;
    }
    json_t *part = vb_json_set_object(json, entry, score_names[score]), *lists[FIGURES];
    for (int f = 0; f < FIGURES; f++) lists[f] = vb_json_set_array(json, part, figure_names[f]);
    for (int p = 0; p < pass->point_count; p++) {
        int draws = vb_confidence_pass_draws(pass, p);
        for (int d = 0; d < draws; d++) {
            vb_separation found = separate(all, score, v, p, d);
            const double figures[FIGURES] = {found.auroc, found.fpr95};
            for (int f = 0; f < FIGURES; f++) {
                all->of_draws[f * draws + d] = figures[f];
                if (defined) *sum_at(all, score, f, p, d) += figures[f];
            }
        }
        for (int f = 0; f < FIGURES; f++) {
            double deviation;
            vb_json_append_real(json, lists[f], vb_confidence_pass_spread(all->of_draws + f * draws, draws, &deviation));
        }
    }
}

static void add_vocabulary(set_sums *all, const vb_pair *pair, vb_json *json, json_t *list, int v) {
    const vb_confidence_pass *pass = all->pass;
    int64_t present = 0;
    json_t *entry = vb_json_object(json);
    for (int64_t i = 0; i < pass->count; i++) present += vb_confidence_pass_has(pass, i, v);
    vb_json_set_text(json, entry, "name", pair->data->vocabularies.names[v]);
    vb_json_set_integer(json, entry, "images", present);
    vb_json_set_integer(json, entry, "others", pass->count - present);
    bool defined = present && present < pass->count;
    all->vocabularies += defined;
    for (int score = 0; score < SCORES; score++) add_score(all, json, entry, score, v, defined);
    vb_json_append(json, list, entry);
}

/* Means over vocabularies, of each draw; then their mean and sample standard deviation over the draws. */
static void set_means(const set_sums *all, vb_json *json, json_t *part, int score) {
    for (int f = 0; f < FIGURES; f++) {
        json_t *means = vb_json_set_array(json, part, figure_names[f]);
        json_t *deviations = all->pass->draws ? vb_json_set_array(json, part, deviation_names[f]) : NULL;
        for (int p = 0; p < all->pass->point_count; p++) {
            int draws = all->vocabularies ? vb_confidence_pass_draws(all->pass, p) : 0;
            for (int d = 0; d < draws; d++) *sum_at(all, score, f, p, d) /= all->vocabularies;
            double deviation, mean = vb_confidence_pass_spread(sum_at(all, score, f, p, 0), draws, &deviation);
            vb_json_append_real(json, means, mean);
            if (deviations) vb_json_append_real(json, deviations, deviation);
        }
    }
}

static int make_figures(vb_analysis_work *work, vb_error *err) {
    const vb_confidence_pass *pass = work->confidences;
    vb_json *json = work->json;
    set_sums all = {.pass = pass};
    all.sums = vb_array((size_t)SCORES * FIGURES * (size_t)pass->point_count * (size_t)(pass->draws + 1), sizeof *all.sums,
                        "figures", err);
    all.present = vb_array((size_t)pass->count, sizeof *all.present, "scores", err);
    all.absent = vb_array((size_t)pass->count, sizeof *all.absent, "scores", err);
    all.of_draws = vb_array(FIGURES * (size_t)(pass->draws + 1), sizeof *all.of_draws, "figures", err);
    int status = all.sums && all.present && all.absent && all.of_draws ? 0 : -1;
    if (!status) {
        json_t *to = vb_json_set_object(json, work->figures, "open_set"), *parts[SCORES];
        vb_confidence_pass_head(pass, work->pair, json, to);
        for (int s = 0; s < SCORES; s++) {
            bool given = s == SIMILARITY || pass->scale > 0;
            parts[s] = given ? vb_json_set_object(json, to, score_names[s]) : NULL;
            if (!given) vb_json_set(json, to, score_names[s], json_null());
        }
        json_t *list = vb_json_set_array(json, to, "vocabularies");
        for (int v = 0; v < pass->vocabularies; v++) add_vocabulary(&all, work->pair, json, list, v);
        for (int s = 0; s < SCORES; s++)
            if (parts[s]) set_means(&all, json, parts[s], s);
    }
    vb_free(all.sums);
    vb_free(all.present);
    vb_free(all.absent);
    vb_free(all.of_draws);
    return status;
}

static int run_open_set(vb_analysis_work *work, vb_error *err) {
    const vb_pair *pair = work->pair;
    if (!work->shown || !vb_confidence_pass_fits(pair->experiment, pair->spec, pair->data)) return 0; /* as the open curve */
    if (vb_confidence_pass_run(work->confidences, work->context, pair, NULL, err)) return -1;
    return vb_comm_agree(&work->context->comm, work->context->comm.rank ? 0 : make_figures(work, err), err);
}

static int check_open_set(const vb_analysis_subject *subject, vb_error *err) {
    return vb_confidence_pass_check(subject->experiment, subject->spec, subject->model, subject->dim, subject->data, NULL, err);
}

const vb_analysis vb_analysis_open_set = {.check = check_open_set,
                                          .run = run_open_set,
                                          .bytes = vb_confidence_pass_bytes,
                                          .operations = vb_confidence_pass_operations,
                                          .section = &vb_open_set_section};
