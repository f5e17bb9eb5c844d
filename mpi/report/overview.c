/* The picture that a report begins with. */
#include "mpi/report/overview.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/openness/spread.h"
#include "kernels/openness/student.h"
#include "mpi/base/json.h"
#include "mpi/report/headline.h"
#include "mpi/results/tables.h"

enum {
    ROWS = 30,
    COLUMNS = 4 /* models and datasets that are drawn at most */,
    LEAST = 4,
    ROW = 22,
    EDGE = 78 /* units of height */,
    NAME = 22
};

extern const char vb_overview_gp[]; /* overview.gp, by make */

static double acc_e(const vb_section_result *result) { return result ? vb_json_number(result->entry, "acc_e") : NAN; }

/* In percent: the stated interval by classes; 1.96 errors, of drawn orders; where there are none, the figure itself. */
static void interval_of(const json_t *entry, double open, double error, double bounds[2]) {
    const json_t *errors = json_object_get(json_object_get(entry, "errors"), "acc_e"),
                 *its = json_object_get(json_object_get(errors, "interval"), vb_spread_names[VB_SPREAD_CLASSES]);
    const double bar = isfinite(error) ? VB_STUDENT_NORMAL * error : 0;
    for (size_t b = 0; b < 2; b++) {
        const json_t *bound = json_array_get(its, b);
        bounds[b] = json_is_number(bound) ? 100 * json_number_value(bound) : b ? open + bar : open - bar;
    }
}

/* A row of the data for each model, of what is told, and the panel's range. */
static void add_column(vb_plot *plot, const vb_report_group *group, int g, const vb_headline_model *rows, int count,
                       double range[2]) {
    range[0] = INFINITY, range[1] = -INFINITY;
    for (int r = 0; r < count; r++) {
        const vb_section_result *it = vb_headline_find(group, rows[r].label);
        const double open = 100 * acc_e(it), closed = it ? 100 * vb_json_number(it->entry, "acc_c") : NAN,
                     error = it ? 100 * vb_tables_error(it->entry, "acc_e") : NAN;
        double bounds[2];
        if (!isfinite(open)) continue;
        interval_of(it->entry, open, error, bounds);
        vb_strbuf_format(&plot->csv, "%d,%d,%.10g,%.10g,%.10g,%.10g,", g, r, open, bounds[0], bounds[1], closed);
        vb_strbuf_add_csv(&plot->csv, rows[r].label);
        vb_strbuf_add(&plot->csv, "\n");
        char shown[VB_PLOT_ERROR];
        vb_plot_value(plot, g, open, r, "%s on %s: Acc-E %.2f%s, Acc-C %.2f", rows[r].label, group->title, open,
                      vb_plot_error(error, shown), closed);
        range[0] = fmin(range[0], fmin(bounds[0], isfinite(closed) ? closed : open));
        range[1] = fmax(range[1], fmax(bounds[1], isfinite(closed) ? closed : open));
    }
}

static void add_panel(vb_plot *plot, const vb_report_group *group, int g, const vb_headline_model *rows, int count,
                      const double range[2]) {
    vb_strbuf *out = vb_plot_slot(plot, "PANELS");
    const char *file = plot->figure->name, *ink = vb_palette_hex(VB_PALETTE_INK), *blue = vb_palette_hex(VB_PALETTE_SERIES);
    const double wide = fmax(range[1] - range[0], 4), low = fmax(0, range[0] - 0.06 * wide), high = range[1] + 0.06 * wide;
    vb_strbuf_add(out, "set title ");
    vb_plot_add_name(out, group->title, NAME, false);
    vb_strbuf_format(out, " offset 0,-0.6 textcolor rgb '%s'\nset ytics (", ink);
    for (int r = 0; r < count; r++) {
        vb_strbuf_add(out, r ? ", " : "");
        if (g) vb_strbuf_add(out, "''");
        else vb_plot_add_name(out, rows[r].label, NAME, true);
        vb_strbuf_format(out, " %d", r);
    }
    vb_strbuf_format(out, ") textcolor rgb '%s'\nset xrange [%.10g:%.10g]\nset xtics %g\nplot ", ink, low, high,
                     fmax(1, ceil((high - low) / 5)));
    vb_strbuf_format(out, "'%s.csv' skip 1 using ($1==%d?$3:NaN):2:($6-$3):(0) with vectors nohead lw 1.5 lc rgb '%s', \\\n  ",
                     file, g, vb_palette_hex(VB_PALETTE_ARROW));
    vb_strbuf_format(out, "'' skip 1 using ($1==%d?$3:NaN):2:4:5 with xerrorbars pt 0 lw 2 lc rgb '%s', \\\n  ", g, blue);
    vb_strbuf_format(out, "'' skip 1 using ($1==%d?$3:NaN):2 with points pt 7 ps 1.1 lc rgb '%s', \\\n  ", g, blue);
    vb_strbuf_format(out, "'' skip 1 using ($1==%d?$6:NaN):2 with points pt 6 ps 0.9 lc rgb '%s', \\\n  ", g,
                     vb_palette_hex(VB_PALETTE_MUTED));
    vb_strbuf_format(out, "$values using ($4==%d?$1:NaN):2:3 with labels hypertext point pt 6 ps 0.1\n%s", g,
                     g ? "" : "unset label 1\n"); /* the axis' name is drawn once */
}

static void describe(vb_plot *plot, const vb_report *report, const vb_headline_model *rows, int all, int count, int columns) {
    vb_strbuf_add(&plot->title, "Which model is most open: Acc-E, most open first");
    if (count < all) vb_strbuf_format(&plot->title, "; %d of %d models", count, all);
    if (columns < report->group_count) vb_strbuf_format(&plot->title, "; %d of %d datasets", columns, report->group_count);
    if (report->group_count > 1) vb_strbuf_add(&plot->title, ", by the mean over the datasets");
    vb_strbuf_add(&plot->description,
                  "Where intervals part, models differ; where they meet, vocabench compare pairs the images.");
    if (vb_headline_complete(report, rows, all))
        vb_strbuf_format(&plot->description, " Most open is %s, mean %.1f percent, least %s, %.1f.", rows[0].label,
                         100 * rows[0].mean, rows[all - 1].label, 100 * rows[all - 1].mean);
    else vb_strbuf_add(&plot->description, " The means are of different datasets: not every model has a result on each.");
}

/* Of the report's models those that have something to show in the panels that are drawn, in their order; how many. */
static int choose_rows(const vb_report *report, int columns, vb_headline_model *rows) {
    const int all = vb_headline_models(report, rows);
    int kept = 0;
    for (int r = 0; r < all; r++) {
        bool shown = false;
        for (int g = 0; g < columns; g++) shown |= isfinite(acc_e(vb_headline_find(&report->groups[g], rows[r].label)));
        if (shown) rows[kept++] = rows[r];
    }
    return kept;
}

int vb_overview_plot(const vb_report *report, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const int columns = report->group_count < COLUMNS ? report->group_count : COLUMNS;
    vb_plot plot;
    int status = -1;
    if (report->result_count < 2) return 0;
    vb_headline_model *rows = vb_array((size_t)report->result_count, sizeof *rows, "the overview", err);
    if (!rows) return -1;
    const int all = choose_rows(report, columns, rows);
    const int count = all < ROWS ? all : ROWS, height = EDGE + ROW * (count < LEAST ? LEAST : count);
    if (!count) {
        vb_free(rows);
        return 0;
    }
    if (vb_plot_begin(&plot, plotter, figure, "overview", "", height, err)) goto done;
    vb_strbuf_add(&plot.csv, "panel,row,acc_e,low,high,acc_c,model\n");
    const char **names = vb_array((size_t)count, sizeof *names, "names", err);
    for (int r = 0; names && r < count; r++) names[r] = rows[r].label;
    const int letters = names ? vb_plot_tics_width(names, count) : 0;
    vb_free(names);
    for (int g = 0; g < columns; g++) {
        double range[2];
        add_column(&plot, &report->groups[g], g, rows, count, range);
        add_panel(&plot, &report->groups[g], g, rows, count, range);
    }
    vb_plot_set(&plot, "BOTTOM", "%g", count - 0.3);
    vb_plot_set(&plot, "COLUMNS", "%d", columns);
    vb_plot_set(&plot, "FOOT", "%.4f", 9.0 / height);
    vb_plot_set(&plot, "MARGINS", "%.4f,0.98,%.4f,%.4f", (16 + 7.4 * (letters < NAME + 1 ? letters : NAME + 1)) / 640,
                50.0 / height, 1 - 24.0 / height);
    describe(&plot, report, rows, all, count, columns);
    status = vb_plot_end(&plot, names ? vb_plot_script(&plot, vb_overview_gp, "overview.gp", err) : -1, err);
done:
    vb_free(rows);
    return status;
}
