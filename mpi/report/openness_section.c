/* Acc-E against Acc-C: the picture of a dataset that is seen first. */
#include "mpi/report/openness_section.h"

#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/figures/labels.h"
#include "mpi/results/tables.h"

extern const char vb_openness_gp[]; /* openness.gp, by make */

enum { PLOT_WIDTH = 540, PLOT_HEIGHT = 320 }; /* between the axes */

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

typedef struct axes {
    range x, y;
} axes;

/* Axes with room for marks and names, the second up to the line on which nothing is lost. */
static axes set_ranges(vb_plot *plot, const vb_section_subject *subject) {
    const range x = range_of(subject, "acc_c"), y = range_of(subject, "acc_e");
    const double wide = fmax(x.high - x.low, 2), left = fmax(x.low - 0.1 * wide, 0), tall = fmax(fmax(y.high, left) - y.low, 2);
    const axes found = {{left, x.high + 0.6 * wide}, {fmax(y.low - 0.1 * tall, 0), fmax(y.high, left) + 0.15 * tall}};
    vb_plot_set(plot, "LEFT", "%.10g", found.x.low);
    vb_plot_set(plot, "RIGHT", "%.10g", found.x.high);
    vb_plot_set(plot, "LOW", "%.10g", found.y.low);
    vb_plot_set(plot, "HIGH", "%.10g", found.y.high);
    return found;
}

/* The name at each point, where it lies over no other. */
static int add_names(vb_plot *plot, const vb_section_subject *subject, axes all, vb_error *err) {
    vb_label *labels = vb_array((size_t)subject->count, sizeof *labels, "names", err);
    vb_strbuf *names = vb_plot_slot(plot, "NAMES");
    int count = 0;
    if (!labels) return -1;
    for (int m = 0; m < subject->count; m++) {
        const double x = 100 * vb_json_number(subject->results[m].entry, "acc_c"),
                     y = 100 * vb_json_number(subject->results[m].entry, "acc_e");
        if (isfinite(x) && isfinite(y))
            labels[count++] = (vb_label){.name = subject->results[m].label,
                                         .x = (x - all.x.low) / (all.x.high - all.x.low),
                                         .y = (y - all.y.low) / (all.y.high - all.y.low)};
    }
    vb_labels_choose(labels, count, PLOT_WIDTH, PLOT_HEIGHT);
    for (int i = 0; i < count; i++) {
        if (!labels[i].shown) continue;
        vb_strbuf_add(names, "set label ");
        vb_plot_add_name(names, labels[i].name, 36, false);
        vb_strbuf_format(names, " at %.10g,%.10g left offset 1,0 font ',11' textcolor rgb '%s'\n",
                         all.x.low + labels[i].x * (all.x.high - all.x.low), all.y.low + labels[i].y * (all.y.high - all.y.low),
                         vb_palette_hex(VB_PALETTE_INK));
    }
    vb_free(labels);
    return 0;
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
        char shown[2][VB_PLOT_ERROR];
        vb_plot_value(&plot, 0, 100 * closed, 100 * open, "%s: Acc-C %.2f%s, Acc-E %.2f%s", result->label, 100 * closed,
                      vb_plot_error(100 * errors[0], shown[0]), 100 * open, vb_plot_error(100 * errors[1], shown[1]));
        vb_strbuf_format(&plot.description, " %s %.1f, %.1f.", result->label, 100 * closed, 100 * open);
    }
    int status = add_names(&plot, subject, set_ranges(&plot, subject), err);
    vb_strbuf_format(&plot.title, "%s: what stays of the accuracy (Acc-C) while vocabularies are added (Acc-E)", subject->title);
    return vb_plot_end(&plot, status ? status : vb_plot_script(&plot, vb_openness_gp, "openness.gp", err), err);
}

const vb_section vb_openness_section = {.scope = VB_SECTION_OF_GROUP, .place = 5, .plot = plot_openness};
