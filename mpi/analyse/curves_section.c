/* Accuracy while the vocabulary grows: a curve for each model, in a panel of its own where they are many, with a band from the
 * worst to the best order where the analyses tell it, or, for one model alone, of the middle half of its vocabularies. */
#include "mpi/analyse/curves_section.h"

#include <math.h>
#include <stdio.h>

#include "kernels/base/memory.h"
#include "mpi/base/json.h"
#include "mpi/figures/panels.h"

enum {
    KEY_ROWS = 3 /* of figure.gp's key: maxrows */,
    DESCRIBED = 12 /* models whose curves are put into words */,
    VALUES = 30 /* a curve */
};

extern const char vb_curves_gp[]; /* curves.gp, by make */

/* What is drawn: `steps` numbers of vocabularies, from one on; `bands` models or, with `quartiles`, one. low, high: of all
 * values. */
typedef struct curves {
    const vb_section_subject *subject;
    size_t steps;
    bool quartiles;
    int bands;
    double low, high;
} curves;

static double value_at(const json_t *list, size_t i) {
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The worst and the best order of arrival, of models whose analyses tell; else NULL. */
static const json_t *envelope_of(const vb_section_result *result, size_t steps) {
    const json_t *order = json_object_get(json_object_get(result->entry, "analyses"), "order");
    bool whole =
        json_array_size(json_object_get(order, "worst")) == steps && json_array_size(json_object_get(order, "best")) == steps;
    return whole ? order : NULL;
}

static curves survey_curves(const vb_section_subject *subject) {
    curves all = {.subject = subject, .low = 1, .high = 0};
    all.steps = json_array_size(json_object_get(subject->results->entry, "vocabularies"));
    all.quartiles = subject->count == 1 && all.steps > 2 && !envelope_of(subject->results, all.steps);
    all.bands = all.quartiles;
    for (int m = 0; m < subject->count; m++) all.bands += envelope_of(&subject->results[m], all.steps) != NULL;
    return all;
}

/* The value of rank `part` (0 lowest, 1 highest) of the vocabularies' accuracies after i foreign vocabularies. */
static double find_quantile(const json_t *vocabularies, size_t i, double part, double *sorted) {
    size_t n = 0;
    for (size_t v = 0; v < json_array_size(vocabularies); v++) {
        double value = value_at(json_object_get(json_array_get(vocabularies, v), "curve"), i);
        size_t place = n++;
        for (; place && sorted[place - 1] > value; place--) sorted[place] = sorted[place - 1];
        sorted[place] = value;
    }
    double place = part * (double)(n - 1), below = floor(place);
    size_t b = (size_t)below;
    return b + 1 < n ? sorted[b] + (place - below) * (sorted[b + 1] - sorted[b]) : sorted[b];
}

/* A column of the data, in percent. */
static void add_accuracy(vb_plot *plot, curves *all, double value) {
    vb_strbuf_add(&plot->csv, ",");
    vb_plot_add_number(&plot->csv, 100 * value);
    if (value < all->low) all->low = value;
    if (value > all->high) all->high = value;
}

/* Columns: the number of foreign vocabularies, the models' curves, then for each band its lower and its upper edge. `sorted`
 * has room for a number a step. */
static void add_data(vb_plot *plot, curves *all, double *sorted) {
    const vb_section_result *results = all->subject->results;
    int count = all->subject->count;
    vb_strbuf_add(&plot->csv, "foreign_vocabularies");
    for (int m = 0; m < count; m++) {
        vb_strbuf_add(&plot->csv, ",");
        vb_strbuf_add_csv(&plot->csv, results[m].label);
    }
    for (int m = 0; m < count; m++)
        if (envelope_of(&results[m], all->steps)) vb_strbuf_format(&plot->csv, ",worst_order_%d,best_order_%d", m + 1, m + 1);
    vb_strbuf_add(&plot->csv, all->quartiles ? ",lower_quartile,upper_quartile\n" : "\n");
    for (size_t i = 0; i < all->steps; i++) {
        vb_strbuf_format(&plot->csv, "%zu", i);
        for (int m = 0; m < count; m++) add_accuracy(plot, all, value_at(json_object_get(results[m].entry, "curve"), i));
        for (int m = 0; m < count; m++) {
            const json_t *order = envelope_of(&results[m], all->steps);
            if (!order) continue;
            add_accuracy(plot, all, value_at(json_object_get(order, "worst"), i));
            add_accuracy(plot, all, value_at(json_object_get(order, "best"), i));
        }
        for (int q = 0; q < 2 && all->quartiles; q++)
            add_accuracy(plot, all, find_quantile(json_object_get(results->entry, "vocabularies"), i, q ? 0.75 : 0.25, sorted));
        vb_strbuf_add(&plot->csv, "\n");
    }
}

/* The bands lie below the lines. */
static void add_lines(vb_plot *plot, const curves *all) {
    vb_strbuf *lines = vb_plot_slot(plot, "CURVES");
    const char *band = all->quartiles ? "'middle half of the vocabularies'" : "'from the worst to the best order'";
    int column = all->subject->count + 2;
    for (int m = 0; m < all->subject->count; m++) {
        if (!all->quartiles && !envelope_of(&all->subject->results[m], all->steps)) continue;
        vb_strbuf_format(lines,
                         "'%s.csv' skip 1 using 1:%d:%d with filledcurves fs transparent solid %g lc rgb '%s' title %s, \\\n  ",
                         plot->figure->name, column, column + 1, all->bands > 2 ? 0.08 : 0.16,
                         vb_palette_hex(vb_palette_series(m)), band);
        band = "''"; /* the key names them once */
        column += 2;
    }
    for (int m = 0; m < all->subject->count; m++) {
        vb_strbuf_format(lines, "%s'%s.csv' skip 1 using 1:%d with lines lw 2.5 dt %d lc rgb '%s' title ", m ? ", \\\n  " : "",
                         plot->figure->name, m + 2, 1 + m / VB_PALETTE_SERIES_COUNT, vb_palette_hex(vb_palette_series(m)));
        vb_plot_add_name(lines, all->subject->results[m].label, 40, false);
    }
}

/* What is told of the curves' points: of some, where there are many vocabularies. */
static void add_values(vb_plot *plot, const curves *all, bool panels) {
    const size_t each = (all->steps + VALUES - 1) / VALUES;
    for (int m = 0; m < all->subject->count; m++) {
        const vb_section_result *result = &all->subject->results[m];
        for (size_t i = 0; i < all->steps; i += each) {
            const double value = 100 * value_at(json_object_get(result->entry, "curve"), i);
            vb_plot_value(plot, panels ? m : 0, (double)i, value, "%s: %.2f %% after %zu foreign vocabular%s", result->label,
                          value, i, i == 1 ? "y" : "ies");
        }
    }
}

static int add_panels(vb_plot *plot, const curves *all, const vb_panels_axes *axes, vb_error *err) {
    const int count = all->subject->count;
    vb_panel *panels = vb_array((size_t)count, sizeof *panels, "panels", err);
    if (!panels) return -1;
    for (int m = 0, column = count + 2; m < count; m++) {
        panels[m].label = all->subject->results[m].label;
        snprintf(panels[m].line, sizeof panels[m].line, "1:%d", m + 2);
        if (!envelope_of(&all->subject->results[m], all->steps)) continue;
        snprintf(panels[m].band, sizeof panels[m].band, "1:%d:%d", column, column + 1);
        column += 2;
    }
    const int status = vb_panels_add(plot, panels, count, axes, err);
    vb_free(panels);
    return status;
}

static void describe_curves(vb_strbuf *text, const curves *all) {
    for (int m = 0; m < all->subject->count && m < DESCRIBED; m++) {
        const vb_section_result *result = &all->subject->results[m];
        const json_t *curve = json_object_get(result->entry, "curve"), *order = envelope_of(result, all->steps);
        vb_strbuf_format(text, "%s%s: %.1f percent among its own classes, %.1f with all %zu vocabularies", m ? " " : "",
                         result->label, 100 * value_at(curve, 0), 100 * value_at(curve, all->steps - 1), all->steps);
        if (order && all->steps > 1)
            vb_strbuf_format(text, "; after one foreign vocabulary between %.1f, the worst choice, and %.1f, the best",
                             100 * value_at(json_object_get(order, "worst"), 1),
                             100 * value_at(json_object_get(order, "best"), 1));
        vb_strbuf_add(text, ".");
    }
}

static int plot_curves(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    curves all = survey_curves(subject);
    vb_plot plot;
    const bool panels = subject->count >= VB_PANELS_FROM;
    int rows = subject->count + (all.bands > 0) < KEY_ROWS ? subject->count + (all.bands > 0) : KEY_ROWS, status = -1;
    const int height = panels ? vb_panels_height(subject->count) : 330 + 18 * rows;
    double *sorted = vb_array(all.steps, sizeof *sorted, "curves", err);
    if (!sorted || vb_plot_begin(&plot, plotter, figure, "curve", subject->title, height, err)) goto done;
    add_data(&plot, &all, sorted);
    add_values(&plot, &all, panels);
    const double bottom = 10 * floor(10 * all.low - 0.2);
    const vb_panels_axes axes = {.name = "foreign vocabularies added",
                                 .right = all.steps > 1 ? (double)(all.steps - 1) : 1,
                                 .low = bottom > 0 ? bottom : 0,
                                 .high = fmax(10, 10 * ceil(10 * all.high - 1e-9))};
    vb_strbuf_format(&plot.title, "%s: accuracy while the vocabulary grows, averaged over all orders%s", subject->title,
                     !panels   ? "" :
                     all.bands ? ", a panel a model, the others in grey; band: from the worst to the best order" :
                                 ", a panel a model, the others in grey");
    describe_curves(&plot.description, &all);
    if (panels) status = add_panels(&plot, &all, &axes, err);
    else {
        vb_plot_set(&plot, "TOP", "%g", 0.8 + 1.3 * rows);
        vb_plot_set(&plot, "STEPS", "%g", axes.right);
        vb_plot_set(&plot, "LOW", "%g", axes.low);
        vb_plot_set(&plot, "HIGH", "%g", axes.high);
        add_lines(&plot, &all);
        status = vb_plot_script(&plot, vb_curves_gp, "curves.gp", err);
    }
    status = vb_plot_end(&plot, status, err);
done:
    vb_free(sorted);
    return status;
}

const vb_section vb_curves_section = {.scope = VB_SECTION_OF_GROUP, .place = 10, .plot = plot_curves};
