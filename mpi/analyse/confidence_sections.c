/* Tables of separation and calibration, AUROC against the number of foreign names, and reliability. */
#include "mpi/analyse/confidence_sections.h"

#include <math.h>

#include "mpi/base/json.h"

enum { KEY_ROWS = 3 /* of figure.gp's key: maxrows */, DESCRIBED = 12 /* models that are put into words */ };

extern const char vb_open_set_gp[], vb_calibration_gp[]; /* open_set.gp, calibration.gp, by make */

static const json_t *analysis_of(const vb_section_result *result, const char *name) {
    return json_object_get(json_object_get(result->entry, "analyses"), name);
}

static double number_in(const json_t *list, size_t i) {
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* entry.PART.KEY[i]; NaN where there is no such thing. */
static double figure_in(const json_t *entry, const char *part, const char *key, size_t i) {
    return number_in(json_object_get(json_object_get(entry, part), key), i);
}

/* The last of the points: all names, or 0 where there are none. */
static size_t last_point(const json_t *figures) {
    size_t n = json_array_size(json_object_get(figures, "n"));
    return n ? n - 1 : 0;
}

static json_int_t names_at(const json_t *figures, size_t i) {
    return json_integer_value(json_array_get(json_object_get(figures, "n"), i));
}

/* ---- open set ---- */

static const char *const scores[] = {"similarity", "softmax"};

/* The least AUROC of a vocabulary, without names. */
static double worst_of(const json_t *figures, const char *score) {
    double worst = NAN;
    size_t v;
    json_t *entry;
    json_array_foreach(json_object_get(figures, "vocabularies"), v, entry) {
        double value = figure_in(entry, score, "auroc", 0);
        if (isfinite(value) && !(value >= worst)) worst = value;
    }
    return worst;
}

static int fill_open_set(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    static const char *const heads[] = {"model", "similarity: AUROC", "FPR95", "worst AUROC",       "softmax: AUROC",
                                        "FPR95", "worst AUROC",       "names", "similarity: AUROC", "softmax: AUROC"};
    (void)err;
    vb_grid_begin(grid, sizeof heads / sizeof *heads,
                  "A vocabulary's images against all others, by the largest similarity with its names and the largest softmax "
                  "value: means over vocabularies, the worst one, and with foreign names beside its own",
                  heads);
    for (int m = 0; m < subject->count; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "open_set");
        if (!figures) continue;
        size_t last = last_point(figures);
        vb_grid_cell(grid, "%s", subject->results[m].label);
        for (int s = 0; s < 2; s++) {
            vb_grid_number(grid, figure_in(figures, scores[s], "auroc", 0), 4);
            vb_grid_number(grid, figure_in(figures, scores[s], "fpr95", 0), 4);
            vb_grid_number(grid, worst_of(figures, scores[s]), 4);
        }
        vb_grid_cell(grid, "%lld", (long long)names_at(figures, last));
        for (int s = 0; s < 2; s++) vb_grid_number(grid, last ? figure_in(figures, scores[s], "auroc", last) : NAN, 4);
    }
    return 0;
}

static void add_open_set_data(vb_plot *plot, const vb_section_subject *subject, double *low, json_int_t *most) {
    static const char *const keys[] = {"auroc", "fpr95"};
    vb_strbuf_add(&plot->csv, "model,names,similarity_auroc,similarity_fpr95,softmax_auroc,softmax_fpr95\n");
    for (int m = 0; m < subject->count; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "open_set");
        for (size_t p = 0; figures && p <= last_point(figures); p++) {
            json_int_t n = names_at(figures, p);
            vb_strbuf_format(&plot->csv, "%d,%lld", m + 1, (long long)n);
            for (int c = 0; c < 4; c++) {
                double value = figure_in(figures, scores[c / 2], keys[c % 2], p);
                vb_strbuf_add(&plot->csv, ",");
                vb_plot_add_number(&plot->csv, value);
                if (c % 2 == 0 && value < *low) *low = value;
            }
            vb_strbuf_add(&plot->csv, "\n");
            if (n > *most) *most = n;
        }
    }
}

static void add_open_set_lines(vb_plot *plot, const vb_section_subject *subject) {
    vb_strbuf *lines = vb_plot_slot(plot, "CURVES");
    bool first = true;
    for (int m = 0; m < subject->count; m++)
        for (int s = 0; s < 2; s++) {
            const json_t *figures = analysis_of(&subject->results[m], "open_set");
            if (!json_is_object(json_object_get(figures, scores[s]))) continue;
            vb_strbuf_format(lines,
                             "%s'%s.csv' skip 1 using ($1==%d && $2>0?$2:NaN):%d with lines lw 2.5 dt %d lc rgb '%s' title ",
                             first ? "" : ", \\\n  ", plot->figure->name, m + 1, 3 + 2 * s, 1 + s,
                             vb_palette_hex(vb_palette_series(m)));
            vb_strbuf label = {0};
            vb_strbuf_format(&label, "%s, %s", subject->results[m].label, scores[s]);
            vb_plot_add_name(lines, label.bytes ? label.bytes : "", 40, false);
            vb_strbuf_free(&label);
            first = false;
        }
}

/* There is none where all classes belong to all vocabularies. */
static bool has_auroc(const json_t *figures) {
    for (size_t p = 0; figures && p <= last_point(figures); p++)
        for (int s = 0; s < 2; s++)
            if (isfinite(figure_in(figures, scores[s], "auroc", p))) return true;
    return false;
}

static int plot_open_set(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    vb_plot plot;
    int count = 0, described = 0;
    double low = 0.9; /* a range, also where all are 1 */
    json_int_t most = 2;
    for (int m = 0; m < subject->count; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "open_set");
        count += has_auroc(figures) && last_point(figures) ? 2 : 0;
    }
    if (!count) return 0;
    int rows = count < KEY_ROWS ? count : KEY_ROWS;
    if (vb_plot_begin(&plot, plotter, figure, "open-set", subject->title, 330 + 18 * rows, err)) return -1;
    add_open_set_data(&plot, subject, &low, &most);
    vb_plot_set(&plot, "TOP", "%g", 0.8 + 1.3 * rows);
    vb_plot_set(&plot, "NAMES", "%lld", (long long)most);
    vb_plot_set(&plot, "LOW", "%g", floor(10 * low) / 10);
    add_open_set_lines(&plot, subject);
    vb_strbuf_format(&plot.title, "%s: AUROC of a vocabulary's images against all others", subject->title);
    for (int m = 0; m < subject->count && described < DESCRIBED; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "open_set");
        if (!figures) continue;
        vb_strbuf_format(&plot.description, "%s%s: %.3f by similarity, %.3f with %lld foreign names.", described++ ? " " : "",
                         subject->results[m].label, figure_in(figures, "similarity", "auroc", 0),
                         figure_in(figures, "similarity", "auroc", last_point(figures)),
                         (long long)names_at(figures, last_point(figures)));
    }
    return vb_plot_end(&plot, vb_plot_script(&plot, vb_open_set_gp, "open_set.gp", err), err);
}

const vb_section vb_open_set_section = {.scope = VB_SECTION_OF_GROUP,
                                        .place = 14,
                                        .latex = true,
                                        .stated = "open_set",
                                        .table = fill_open_set,
                                        .plot = plot_open_set};

/* ---- calibration ---- */

static int fill_calibration(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    static const char *const heads[] = {"model",    "logit scale",        "own: ECE",   "confidence",
                                        "accuracy", "all classes: ECE",   "confidence", "accuracy",
                                        "names",    "own and names: ECE", "confidence", "accuracy"};
    static const char *const keys[] = {"ece", "confidence", "accuracy"};
    (void)err;
    vb_grid_begin(grid, sizeof heads / sizeof *heads,
                  "Calibration (%): expected error (ECE), mean confidence and accuracy within the own vocabulary, among all "
                  "classes, and among the own vocabulary and all foreign names",
                  heads);
    for (int m = 0; m < subject->count; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "calibration");
        if (!figures) continue;
        size_t last = last_point(figures);
        vb_grid_cell(grid, "%s", subject->results[m].label);
        vb_grid_cell(grid, "%.5g", vb_json_number(figures, "logit_scale"));
        for (int k = 0; k < 3; k++) vb_grid_percent(grid, figure_in(figures, "own", keys[k], 0), NAN);
        for (int k = 0; k < 3; k++) vb_grid_percent(grid, figure_in(figures, "all", keys[k], 0), NAN);
        vb_grid_cell(grid, "%lld", (long long)names_at(figures, last));
        for (int k = 0; k < 3; k++) vb_grid_percent(grid, last ? figure_in(figures, "own", keys[k], last) : NAN, NAN);
    }
    return 0;
}

/* Rows of the bins that hold images: within the own vocabulary, among all classes; without names, with all of them. */
static void add_reliability(vb_plot *plot, const vb_section_subject *subject) {
    static const char *const scopes[] = {"own", "all"};
    vb_strbuf_add(&plot->csv, "model,scope,names,bin,images,confidence,accuracy\n");
    for (int m = 0; m < subject->count; m++)
        for (int s = 0; s < 2; s++) {
            const json_t *figures = analysis_of(&subject->results[m], "calibration");
            size_t i;
            json_t *entry;
            json_array_foreach(json_object_get(json_object_get(figures, scopes[s]), "reliability"), i, entry) {
                const json_t *images = json_object_get(entry, "images");
                for (size_t b = 0; b < json_array_size(images); b++) {
                    double count = number_in(images, b);
                    if (!(count > 0)) continue;
                    vb_strbuf_format(&plot->csv, "%d,%s,%lld,%zu,%.0f,", m + 1, scopes[s], (long long)vb_json_integer(entry, "n"),
                                     b + 1, count);
                    vb_plot_add_number(&plot->csv, 100 * number_in(json_object_get(entry, "confidence"), b));
                    vb_strbuf_add(&plot->csv, ",");
                    vb_plot_add_number(&plot->csv, 100 * number_in(json_object_get(entry, "right"), b) / count);
                    vb_strbuf_add(&plot->csv, "\n");
                }
            }
        }
}

static int plot_calibration(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    vb_plot plot;
    int count = 0, described = 0;
    for (int m = 0; m < subject->count; m++) count += analysis_of(&subject->results[m], "calibration") != NULL;
    if (!count) return 0;
    int rows = count + 1 < KEY_ROWS ? count + 1 : KEY_ROWS;
    if (vb_plot_begin(&plot, plotter, figure, "calibration", subject->title, 330 + 18 * rows, err)) return -1;
    add_reliability(&plot, subject);
    vb_plot_set(&plot, "TOP", "%g", 0.8 + 1.3 * rows);
    vb_strbuf *lines = vb_plot_slot(&plot, "CURVES");
    for (int m = 0; m < subject->count && described < count; m++) {
        const json_t *figures = analysis_of(&subject->results[m], "calibration");
        if (!figures) continue;
        vb_strbuf_format(lines,
                         "%s'%s.csv' skip 1 using ($1==%d && strcol(2) eq 'own' && $3==0?$6:NaN):7 with linespoints lw 2.5 "
                         "dt %d pt 7 ps 0.6 lc rgb '%s' title ",
                         described ? ", \\\n  " : "", plot.figure->name, m + 1, 1 + m / VB_PALETTE_SERIES_COUNT,
                         vb_palette_hex(vb_palette_series(m)));
        vb_plot_add_name(lines, subject->results[m].label, 40, false);
        if (described++ < DESCRIBED)
            vb_strbuf_format(&plot.description, "%s%s: expected error %.3f, mean confidence %.3f, accuracy %.3f.",
                             described > 1 ? " " : "", subject->results[m].label, figure_in(figures, "own", "ece", 0),
                             figure_in(figures, "own", "confidence", 0), figure_in(figures, "own", "accuracy", 0));
    }
    vb_strbuf_format(&plot.title, "%s: accuracy within the own vocabulary by confidence", subject->title);
    return vb_plot_end(&plot, vb_plot_script(&plot, vb_calibration_gp, "calibration.gp", err), err);
}

const vb_section vb_calibration_section = {.scope = VB_SECTION_OF_GROUP,
                                           .place = 16,
                                           .latex = true,
                                           .stated = "calibration",
                                           .table = fill_calibration,
                                           .plot = plot_calibration};
