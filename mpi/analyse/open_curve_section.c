/* The open curve: accuracy within the own vocabulary among n foreign names, a line a model on a logarithmic axis, a
 * panel a model where they are many, and a table. */
#include "mpi/analyse/open_curve_section.h"

#include <math.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "kernels/openness/spread.h"
#include "mpi/base/json.h"
#include "mpi/figures/panels.h"

enum { KEY_ROWS = 3 /* of figure.gp's key: maxrows */, DESCRIBED = 12 /* models whose curves are put into words */ };

extern const char vb_open_curve_gp[]; /* open_curve.gp, by make */

static const json_t *curve_of(const vb_section_result *result) {
    return json_object_get(json_object_get(result->entry, "analyses"), "open_curve");
}

static double number(const json_t *value) { return json_is_number(value) ? json_number_value(value) : NAN; }

static double number_at(const json_t *list, size_t i) { return number(json_array_get(list, i)); }

/* A list of the curve within the own vocabulary, or among all classes. */
static const json_t *list_of(const json_t *curve, const char *scope, const char *key) {
    return json_object_get(json_object_get(curve, scope), key);
}

/* The errors that the table shows: by classes. */
static const json_t *errors_of(const json_t *curve, const char *scope) {
    return json_object_get(list_of(curve, scope, "errors"), vb_spread_names[VB_SPREAD_CLASSES]);
}

/* The index of n names among the points; the last one when there are fewer names. */
static size_t point_of(const json_t *curve, json_int_t n) {
    const json_t *points = json_object_get(curve, "n");
    size_t i = 0, count = json_array_size(points);
    while (i + 1 < count && json_integer_value(json_array_get(points, i)) < n) i++;
    return i;
}

/* ---- the table ---- */

static int fill_table(const vb_section_subject *subject, vb_grid *grid, vb_error *err) {
    static const char *const heads[] = {"model",  "names",     "0",    "10",        "100",          "1,000",
                                        "10,000", "all names", "area", "halved at", "among all: 0", "all names"};
    static const json_int_t shown[] = {0, 10, 100, 1000, 10000};
    enum { COLUMNS = sizeof heads / sizeof *heads, SHOWN = sizeof shown / sizeof *shown };
    (void)err;
    grid->columns = COLUMNS;
    grid->left = 1;
    grid->note = "±: standard error by classes as clusters; those by images and by vocabularies: results.json";
    grid->caption = "Accuracy (%) within the own vocabulary among n foreign names, over all sets of them";
    vb_grid_heads(grid, heads);
    for (int m = 0; m < subject->count; m++) {
        const json_t *curve = curve_of(&subject->results[m]), *own = json_object_get(curve, "own"),
                     *accuracy = list_of(curve, "own", "accuracy"), *errors = errors_of(curve, "own"),
                     *halved = json_object_get(own, "halved_at");
        if (!curve) continue;
        json_int_t names = json_integer_value(json_object_get(own, "names"));
        vb_grid_cell(grid, "%s", subject->results[m].label);
        vb_grid_cell(grid, "%lld", (long long)names);
        for (int i = 0; i < SHOWN; i++) {
            size_t p = point_of(curve, shown[i]);
            bool there = shown[i] <= names;
            vb_grid_percent(grid, there ? number_at(accuracy, p) : NAN, there ? number_at(errors, p) : NAN);
        }
        const json_t *all = json_object_get(curve, "all"), *of_all = json_object_get(all, "accuracy"),
                     *all_errors = errors_of(curve, "all");
        size_t last = point_of(curve, names), end = point_of(curve, json_integer_value(json_object_get(all, "names")));
        vb_grid_percent(grid, number_at(accuracy, last), number_at(errors, last));
        vb_grid_percent(grid, number(json_object_get(own, "area")), NAN);
        if (json_is_integer(halved)) vb_grid_cell(grid, "%lld", (long long)json_integer_value(halved));
        else if (number_at(accuracy, 0) > 0) vb_grid_cell(grid, "never");
        else vb_grid_points(grid, NAN);
        vb_grid_percent(grid, number_at(of_all, 0), number_at(all_errors, 0));
        vb_grid_percent(grid, number_at(of_all, end), number_at(all_errors, end));
    }
    return 0;
}

/* ---- the figure ---- */

static void add_data(vb_plot *plot, const vb_section_subject *subject, double *low, double *high, json_int_t *most) {
    vb_strbuf_add(&plot->csv, "model,names,accuracy,standard_error_by_classes,accuracy_among_all\n");
    *low = 1;
    *high = 0;
    for (int m = 0; m < subject->count; m++) {
        const json_t *curve = curve_of(&subject->results[m]), *points = json_object_get(curve, "n");
        for (size_t p = 0; p < json_array_size(points); p++) {
            double value = number_at(list_of(curve, "own", "accuracy"), p);
            json_int_t n = json_integer_value(json_array_get(points, p));
            vb_strbuf_format(&plot->csv, "%d,%lld,", m + 1, (long long)n);
            vb_plot_add_number(&plot->csv, 100 * value);
            vb_strbuf_add(&plot->csv, ",");
            vb_plot_add_number(&plot->csv, 100 * number_at(errors_of(curve, "own"), p));
            vb_strbuf_add(&plot->csv, ",");
            vb_plot_add_number(&plot->csv, 100 * number_at(list_of(curve, "all", "accuracy"), p));
            vb_strbuf_add(&plot->csv, "\n");
            if (n && value < *low) *low = value;
            if (n && value > *high) *high = value;
            if (n > *most) *most = n;
        }
    }
}

/* Where a model's curve stands in the data: its rows. */
static void use_rows(char *text, size_t size, int m) { snprintf(text, size, "($1==%d && $2>0?$2:NaN):3", m + 1); }

static void add_lines(vb_plot *plot, const vb_section_subject *subject) {
    vb_strbuf *lines = vb_plot_slot(plot, "CURVES");
    bool first = true;
    for (int m = 0; m < subject->count; m++) {
        if (!curve_of(&subject->results[m])) continue;
        char rows[64];
        use_rows(rows, sizeof rows, m);
        vb_strbuf_format(lines, "%s'%s.csv' skip 1 using %s with lines lw 2.5 dt %d lc rgb '%s' title ", first ? "" : ", \\\n  ",
                         plot->figure->name, rows, 1 + m / VB_PALETTE_SERIES_COUNT, vb_palette_hex(vb_palette_series(m)));
        vb_plot_add_name(lines, subject->results[m].label, 40, false);
        first = false;
    }
}

static int add_panels(vb_plot *plot, const vb_section_subject *subject, int count, const vb_panels_axes *axes, vb_error *err) {
    vb_panel *panels = vb_array((size_t)count, sizeof *panels, "panels", err);
    if (!panels) return -1;
    for (int m = 0, p = 0; m < subject->count; m++) {
        if (!curve_of(&subject->results[m])) continue;
        panels[p].label = subject->results[m].label;
        use_rows(panels[p].line, sizeof panels[p].line, m);
        panels[p++].band[0] = 0;
    }
    const int status = vb_panels_add(plot, panels, count, axes, err);
    vb_free(panels);
    return status;
}

static void add_values(vb_plot *plot, const vb_section_subject *subject, bool panels) {
    for (int m = 0, p = 0; m < subject->count; m++) {
        const json_t *curve = curve_of(&subject->results[m]), *points = json_object_get(curve, "n");
        for (size_t i = 0; i < json_array_size(points); i++) {
            const double value = 100 * number_at(list_of(curve, "own", "accuracy"), i),
                         error = 100 * number_at(errors_of(curve, "own"), i);
            const json_int_t n = json_integer_value(json_array_get(points, i));
            char shown[VB_PLOT_ERROR];
            if (n)
                vb_plot_value(plot, panels ? p : 0, (double)n, value, "%s: %.2f%s %% among %lld foreign name%s",
                              subject->results[m].label, value, vb_plot_error(error, shown), (long long)n, n == 1 ? "" : "s");
        }
        p += curve != NULL;
    }
}

static void describe(vb_strbuf *text, const vb_section_subject *subject) {
    int described = 0;
    for (int m = 0; m < subject->count && described < DESCRIBED; m++) {
        const json_t *curve = curve_of(&subject->results[m]), *accuracy = list_of(curve, "own", "accuracy");
        if (!curve) continue;
        size_t last = json_array_size(accuracy) - 1;
        vb_strbuf_format(text, "%s%s: %.1f percent without foreign names, %.1f among all %lld.", described++ ? " " : "",
                         subject->results[m].label, 100 * number_at(accuracy, 0), 100 * number_at(accuracy, last),
                         (long long)json_integer_value(json_array_get(json_object_get(curve, "n"), last)));
    }
}

static int plot_open_curve(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    vb_plot plot;
    int count = 0;
    double low, high;
    json_int_t most = 2;
    for (int m = 0; m < subject->count; m++) count += curve_of(&subject->results[m]) != NULL;
    if (!count) return 0;
    const bool panels = count >= VB_PANELS_FROM;
    const int rows = count < KEY_ROWS ? count : KEY_ROWS, tall = panels ? vb_panels_height(count) : 330 + 18 * rows;
    int status;
    if (vb_plot_begin(&plot, plotter, figure, "open-curve", subject->title, tall, err)) return -1;
    add_data(&plot, subject, &low, &high, &most);
    add_values(&plot, subject, panels);
    const double bottom = 10 * floor(10 * low - 0.2);
    const vb_panels_axes axes = {.name = "foreign names",
                                 .left = 1,
                                 .right = (double)most,
                                 .low = bottom > 0 ? bottom : 0,
                                 .high = high > 0 ? 10 * ceil(10 * high - 1e-9) : 10,
                                 .logarithmic = true};
    vb_strbuf_format(&plot.title, "%s: accuracy among n random foreign names%s", subject->title,
                     panels ? ", a panel a model, the others in grey" : "");
    describe(&plot.description, subject);
    if (panels) status = add_panels(&plot, subject, count, &axes, err);
    else {
        vb_plot_set(&plot, "TOP", "%g", 0.8 + 1.3 * rows);
        vb_plot_set(&plot, "NAMES", "%.0f", axes.right);
        vb_plot_set(&plot, "LOW", "%g", axes.low);
        vb_plot_set(&plot, "HIGH", "%g", axes.high);
        add_lines(&plot, subject);
        status = vb_plot_script(&plot, vb_open_curve_gp, "open_curve.gp", err);
    }
    return vb_plot_end(&plot, status, err);
}

const vb_section vb_open_curve_section = {.scope = VB_SECTION_OF_GROUP,
                                          .place = 12,
                                          .latex = true,
                                          .stated = "open_curve",
                                          .table = fill_table,
                                          .plot = plot_open_curve};
