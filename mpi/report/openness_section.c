/* Acc-E against Acc-C: the picture of a dataset that is seen first. */
#include "mpi/report/openness_section.h"

#include <math.h>

#include "mpi/base/json.h"
#include "mpi/results/tables.h"

extern const char vb_openness_gp[]; /* openness.gp, by make */

typedef struct range {
    double low, high;
} range;

/* In percent, with the error bars. */
static range range_of(const vb_section_subject *subject, const char *key) {
    range found = {INFINITY, -INFINITY};
    for (int m = 0; m < subject->count; m++) {
        const double value = 100 * vb_json_number(subject->results[m].entry, key);
        const double error = 100 * vb_tables_error(subject->results[m].entry, key), bar = isfinite(error) ? error : 0;
        if (!isfinite(value)) continue;
        found.low = fmin(found.low, value - bar);
        found.high = fmax(found.high, value + bar);
    }
    return found;
}

/* Axes with room for marks and names, the second up to the line on which nothing is lost. */
static void set_ranges(vb_plot *plot, const vb_section_subject *subject) {
    const range x = range_of(subject, "acc_c"), y = range_of(subject, "acc_e");
    const double wide = fmax(x.high - x.low, 2), left = fmax(x.low - 0.1 * wide, 0), tall = fmax(fmax(y.high, left) - y.low, 2);
    vb_plot_set(plot, "LEFT", "%.10g", left);
    vb_plot_set(plot, "RIGHT", "%.10g", x.high + 0.6 * wide);
    vb_plot_set(plot, "LOW", "%.10g", fmax(y.low - 0.1 * tall, 0));
    vb_plot_set(plot, "HIGH", "%.10g", fmax(y.high, left) + 0.15 * tall);
}

static int plot_openness(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    int count = 0;
    vb_plot plot;
    for (int m = 0; m < subject->count; m++)
        count += isfinite(vb_json_number(subject->results[m].entry, "acc_c")) &&
                 isfinite(vb_json_number(subject->results[m].entry, "acc_e"));
    if (count < 2) return 0;
    if (vb_plot_begin(&plot, plotter, figure, "openness", subject->title, 400, err)) return -1;
    vb_strbuf_add(&plot.csv, "acc_c,acc_e,acc_c_error,acc_e_error,colour,name\n");
    vb_strbuf_add(&plot.description, "A point for each model, with the standard error of Acc-E by classes:");
    for (int m = 0; m < subject->count; m++) {
        const vb_section_result *result = &subject->results[m];
        const double closed = vb_json_number(result->entry, "acc_c"), open = vb_json_number(result->entry, "acc_e");
        if (!isfinite(closed) || !isfinite(open)) continue;
        const double errors[] = {vb_tables_error(result->entry, "acc_c"), vb_tables_error(result->entry, "acc_e")};
        vb_strbuf_format(&plot.csv, "%.10g,%.10g,", 100 * closed, 100 * open);
        for (int e = 0; e < 2; e++) {
            vb_plot_add_number(&plot.csv, 100 * errors[e]);
            vb_strbuf_add(&plot.csv, ",");
        }
        vb_strbuf_format(&plot.csv, "%d,", vb_palette_rgb(vb_palette_series(m)));
        vb_strbuf_add_csv(&plot.csv, result->label);
        vb_strbuf_add(&plot.csv, "\n");
        vb_strbuf_format(&plot.description, " %s %.1f, %.1f.", result->label, 100 * closed, 100 * open);
    }
    set_ranges(&plot, subject);
    vb_strbuf_format(&plot.title, "%s: what stays of the accuracy (Acc-C) while vocabularies are added (Acc-E)", subject->title);
    return vb_plot_end(&plot, vb_plot_script(&plot, vb_openness_gp, "openness.gp", err), err);
}

const vb_section vb_openness_section = {.scope = VB_SECTION_OF_GROUP, .place = 5, .plot = plot_openness};
