/* The figures of a report. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "mpi/report/report.h"

enum { NAME_WIDTH = 26, LABELLED_CELLS = 20 };

static double at(const json_t *list, size_t i) {
    const json_t *value = json_array_get(list, i);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int vb_report_plots_vocabularies(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *list = json_object_get(it->entry, "vocabularies"), *vocabulary;
    int count = (int)json_array_size(list);
    vb_plot work;
    vb_bar *bars = vb_array((size_t)count, sizeof *bars, "bars", err);
    if (!bars) return -1;
    if (vb_plot_begin(&work, plotter, figure, "vocabularies", it->label, 70 + 30 * count, err)) {
        vb_free(bars);
        return -1;
    }
    size_t v;
    int lowest = 0;
    json_array_foreach(list, v, vocabulary) {
        bars[v] =
            (vb_bar){vb_json_text(vocabulary, "name"), vb_json_number(vocabulary, "acc_c"), vb_json_number(vocabulary, "acc_s")};
        if (bars[v].first - bars[v].second > bars[lowest].first - bars[lowest].second) lowest = (int)v;
    }
    vb_plot_add_bars(&work, bars, count, (const char *const[]){"Acc-C", "Acc-S"});
    vb_strbuf_format(&work.title, "%s: accuracy among its own classes (Acc-C) and with foreign vocabularies added (Acc-S)",
                     it->label);
    vb_strbuf_format(&work.description, "Two bars for each of %d vocabularies. Most is lost by %s: from %.1f to %.1f percent.",
                     count, bars[lowest].name, 100 * bars[lowest].first, 100 * bars[lowest].second);
    vb_free(bars);
    return vb_plot_end(&work, err);
}

int vb_report_plots_adversarial(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *list = json_object_get(it->entry, "adversarial"), *attack;
    int count = (int)json_array_size(list), worst = 0;
    vb_plot work;
    if (!count) return 0;
    vb_bar *bars = vb_array((size_t)count, sizeof *bars, "bars", err);
    if (!bars) return -1;
    if (vb_plot_begin(&work, plotter, figure, "adversarial", it->label, 70 + 30 * count, err)) {
        vb_free(bars);
        return -1;
    }
    size_t t;
    json_array_foreach(list, t, attack) {
        const json_t *accuracy = json_object_get(attack, "accuracy");
        double before = vb_json_number(attack, "accuracy_before");
        bars[t] = (vb_bar){vb_json_text(attack, "target"), before,
                           json_array_size(accuracy) ? at(accuracy, json_array_size(accuracy) - 1) : before};
        if (bars[t].first - bars[t].second > bars[worst].first - bars[worst].second) worst = (int)t;
    }
    vb_plot_add_bars(&work, bars, count, (const char *const[]){"before", "with the adversarial names"});
    vb_strbuf_format(&work.title, "%s: accuracy of each vocabulary before and after the adversarial names are added", it->label);
    vb_strbuf_format(&work.description,
                     "Two bars for each of %d targets. The largest loss is that of %s: from %.1f to %.1f percent.", count,
                     bars[worst].name, 100 * bars[worst].first, 100 * bars[worst].second);
    vb_free(bars);
    return vb_plot_end(&work, err);
}

int vb_report_plots_retrieval(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *list = json_object_get(json_object_get(it->entry, "retrieval"), "results"), *setting, *best = NULL;
    size_t k;
    json_array_foreach(list, k, setting) {
        if (!best || json_is_true(json_object_get(setting, "best"))) best = setting;
    }
    if (!best) return 0;
    static const char *const keys[] = {"acc_c", "acc_e", "acc_s", "top1_all"}, *const names[] = {"Acc-C", "Acc-E", "Acc-S",
                                                                                                 "all classes"};
    vb_bar bars[4];
    for (int f = 0; f < 4; f++) bars[f] = (vb_bar){names[f], vb_json_number(it->entry, keys[f]), vb_json_number(best, keys[f])};
    vb_plot work;
    if (vb_plot_begin(&work, plotter, figure, "retrieval", it->label, 190, err)) return -1;
    vb_plot_add_bars(&work, bars, 4, (const char *const[]){"prompts alone", "with retrieved captions"});
    vb_strbuf_format(&work.title, "%s: before and after REPE (k = %.0f, λ = %g, the best setting by Acc-E)", it->label,
                     vb_json_number(best, "top_k"), vb_json_number(best, "lambda"));
    vb_strbuf_format(&work.description, "Acc-E goes from %.1f to %.1f percent, Acc-C from %.1f to %.1f.", 100 * bars[1].first,
                     100 * bars[1].second, 100 * bars[0].first, 100 * bars[0].second);
    return vb_plot_end(&work, err);
}

/* ---- curves ---- */

/* The value of rank `part` (0 lowest, 1 highest) of the vocabularies' accuracies after i foreign vocabularies. */
static double quantile(const json_t *vocabularies, size_t i, double part, double *sorted) {
    size_t n = 0;
    for (size_t v = 0; v < json_array_size(vocabularies); v++) {
        double value = at(json_object_get(json_array_get(vocabularies, v), "curve"), i);
        size_t place = n++;
        for (; place && sorted[place - 1] > value; place--) sorted[place] = sorted[place - 1];
        sorted[place] = value;
    }
    double place = part * (double)(n - 1), below = floor(place);
    size_t b = (size_t)below;
    return b + 1 < n ? sorted[b] + (place - below) * (sorted[b + 1] - sorted[b]) : sorted[b];
}

/* A column of the figure, in percent; its bounds widen `low` and `high`. */
static void add_point(vb_plot *work, double value, double *low, double *high) {
    vb_strbuf_add(&work->csv, ",");
    vb_plot_add_number(&work->csv, 100 * value);
    if (value < *low) *low = value;
    if (value > *high) *high = value;
}

/* The worst and the best order of arrival, of models whose analyses tell. */
static const json_t *envelope_of(const vb_reported *it, size_t n) {
    const json_t *order = json_object_get(json_object_get(it->entry, "analyses"), "order");
    bool whole = json_array_size(json_object_get(order, "worst")) == n && json_array_size(json_object_get(order, "best")) == n;
    return whole ? order : NULL;
}

static void describe_curves(vb_plot *work, const vb_report_group *group, size_t n) {
    vb_strbuf_format(&work->title, "%s: accuracy while the vocabulary grows, averaged over all orders", group->title);
    for (int m = 0; m < group->count && m < 12; m++) {
        const vb_reported *it = &group->entries[m];
        const json_t *curve = json_object_get(it->entry, "curve"), *order = envelope_of(it, n);
        vb_strbuf_format(&work->description, "%s%s: %.1f percent among its own classes, %.1f with all %zu vocabularies",
                         m ? " " : "", it->label, 100 * at(curve, 0), 100 * at(curve, n - 1), n);
        if (order && n > 1)
            vb_strbuf_format(&work->description,
                             "; after one foreign vocabulary between %.1f, the worst choice, and %.1f, the best",
                             100 * at(json_object_get(order, "worst"), 1), 100 * at(json_object_get(order, "best"), 1));
        vb_strbuf_add(&work->description, ".");
    }
}

/* Columns: the number of foreign vocabularies, the models' curves, then for each band its lower and its upper edge. */
static void add_curves(vb_plot *work, const vb_report_group *group, size_t n, bool quartiles, double *sorted, double *low,
                       double *high) {
    vb_strbuf_add(&work->csv, "foreign_vocabularies");
    for (int m = 0; m < group->count; m++) {
        vb_strbuf_add(&work->csv, ",");
        vb_strbuf_add_csv(&work->csv, group->entries[m].label);
    }
    for (int m = 0; m < group->count; m++)
        if (envelope_of(&group->entries[m], n)) vb_strbuf_format(&work->csv, ",worst_order_%d,best_order_%d", m + 1, m + 1);
    vb_strbuf_add(&work->csv, quartiles ? ",lower_quartile,upper_quartile\n" : "\n");
    for (size_t i = 0; i < n; i++) {
        vb_strbuf_format(&work->csv, "%zu", i);
        for (int m = 0; m < group->count; m++)
            add_point(work, at(json_object_get(group->entries[m].entry, "curve"), i), low, high);
        for (int m = 0; m < group->count; m++) {
            const json_t *order = envelope_of(&group->entries[m], n);
            if (!order) continue;
            add_point(work, at(json_object_get(order, "worst"), i), low, high);
            add_point(work, at(json_object_get(order, "best"), i), low, high);
        }
        for (int q = 0; q < 2 && quartiles; q++)
            add_point(work, quantile(json_object_get(group->entries[0].entry, "vocabularies"), i, q ? 0.75 : 0.25, sorted), low,
                      high);
        vb_strbuf_add(&work->csv, "\n");
    }
}

int vb_report_plots_curves(vb_plotter *plotter, const vb_report_group *group, vb_figure *figure, vb_error *err) {
    size_t n = json_array_size(json_object_get(group->entries[0].entry, "vocabularies"));
    bool quartiles = group->count == 1 && n > 2 && !envelope_of(&group->entries[0], n), named = false;
    int bands = quartiles;
    for (int m = 0; m < group->count; m++) bands += envelope_of(&group->entries[m], n) != NULL;
    double low = 1, high = 0, *sorted = vb_array(n, sizeof *sorted, "curves", err);
    vb_plot work;
    if (!sorted) return -1;
    int rows = group->count + (bands > 0) < 3 ? group->count + (bands > 0) : 3; /* of the key: maxrows */
    if (vb_plot_begin(&work, plotter, figure, "curve", group->title, 330 + 18 * rows, err)) {
        vb_free(sorted);
        return -1;
    }
    add_curves(&work, group, n, quartiles, sorted, &low, &high);
    vb_free(sorted);
    double bottom = 10 * floor(10 * low - 0.2);
    vb_strbuf_format(
        &work.script,
        "set tmargin %g\nset lmargin 7\nset rmargin 3\nset xrange [0:%zu]\nset yrange [%g:%g]\nset grid ytics lt 1 lc rgb "
        "'#dee2e7' lw 1\n",
        0.8 + 1.3 * rows, n > 1 ? n - 1 : 1, bottom > 0 ? bottom : 0, 10 * ceil(10 * high - 1e-9));
    vb_strbuf_add(
        &work.script,
        "set ytics format '%.0f %%'\nset xtics format '%.0f'\nset xlabel 'foreign vocabularies added' textcolor rgb '#57606a'\n"
        "plot ");
    int column = group->count + 2;
    for (int m = 0; m < group->count; m++) {
        if (!quartiles && !envelope_of(&group->entries[m], n)) continue;
        vb_strbuf_format(&work.script,
                         "'%s.csv' skip 1 using 1:%d:%d with filledcurves fs transparent solid %g lc rgb '%s' title %s, \\\n  ",
                         figure->name, column, column + 1, bands > 2 ? 0.08 : 0.16, vb_palette_hex(vb_palette_series(m)),
                         named     ? "''" :
                         quartiles ? "'middle half of the vocabularies'" :
                                     "'from the worst to the best order'");
        named = true;
        column += 2;
    }
    for (int m = 0; m < group->count; m++) {
        vb_strbuf_format(&work.script, "%s'%s.csv' skip 1 using 1:%d with lines lw 2.5 dt %d lc rgb '%s' title ",
                         m ? ", \\\n  " : "", figure->name, m + 2, 1 + m / VB_PALETTE_SERIES_COUNT,
                         vb_palette_hex(vb_palette_series(m)));
        vb_plot_add_name(&work.script, group->entries[m].label, 40, false);
    }
    vb_strbuf_add(&work.script, "\n");
    describe_curves(&work, group, n);
    return vb_plot_end(&work, err);
}

/* ---- the theft matrix ---- */

int vb_report_plots_theft(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *theft = json_object_get(it->entry, "theft"), *list = json_object_get(it->entry, "vocabularies");
    int n = (int)json_array_size(list), worst[2] = {0, 0};
    double most = 0;
    vb_plot work;
    for (int t = 0; t < n; t++)
        for (int u = 0; u < n; u++) {
            double share =
                at(json_array_get(theft, (size_t)t), (size_t)u) / vb_json_number(json_array_get(list, (size_t)t), "images");
            if (share > most) most = share, worst[0] = t, worst[1] = u;
        }
    int side = n > 40 ? 12 : n > LABELLED_CELLS ? 16 : 24, longest = 4;
    for (int v = 0; v < n; v++) {
        int length = vb_plot_text_width(vb_json_text(json_array_get(list, (size_t)v), "name"));
        if (length > longest) longest = length;
    }
    if (longest > NAME_WIDTH) longest = NAME_WIDTH + 1;
    if (vb_plot_begin(&work, plotter, figure, "theft", it->label, 40 + 8 * longest + n * side, err)) return -1;
    vb_strbuf_add(&work.csv, "row,column,images,percent,colour,ink,of,taken_by\n");
    for (int t = 0; t < n; t++)
        for (int u = 0; u < n; u++) {
            const json_t *target = json_array_get(list, (size_t)t);
            double images = at(json_array_get(theft, (size_t)t), (size_t)u), share = images / vb_json_number(target, "images");
            int level = share > 0 ? 1 + (int)floor(share / most * 7.999) : 0;
            if (t == u) continue;
            vb_colour fill = (vb_colour)(VB_PALETTE_HEAT + level), ink = level < 5 ? VB_PALETTE_INK : VB_PALETTE_HEAT_INK;
            vb_strbuf_format(&work.csv, "%d,%d,%.0f,%.10g,%d,%d,", t, u, images, 100 * share, vb_palette_rgb(fill),
                             vb_palette_rgb(ink));
            vb_strbuf_add_csv(&work.csv, vb_json_text(target, "name"));
            vb_strbuf_add(&work.csv, ",");
            vb_strbuf_add_csv(&work.csv, vb_json_text(json_array_get(list, (size_t)u), "name"));
            vb_strbuf_add(&work.csv, "\n");
        }
    vb_strbuf_format(&work.script,
                     "unset key\nset xrange [-0.5:%g]\nset yrange [%g:-0.5]\nset lmargin %d\nset rmargin 2\nset tmargin 1\n"
                     "set bmargin at screen %.4f\n",
                     n - 0.5, n - 0.5, longest + 1, (16.0 + 8 * longest) / (40 + 8 * longest + n * side));
    for (int axis = 0; axis < 2; axis++) {
        vb_strbuf_format(&work.script, "set %ctics %s(", "xy"[axis], axis ? "" : "rotate by 90 right ");
        for (int v = 0; v < n; v++) {
            if (v) vb_strbuf_add(&work.script, ", ");
            vb_plot_add_name(&work.script, vb_json_text(json_array_get(list, (size_t)v), "name"), NAME_WIDTH, true);
            vb_strbuf_format(&work.script, " %d", v);
        }
        vb_strbuf_format(&work.script, ")%s\n", n > 40 ? " font ',9'" : n > LABELLED_CELLS ? " font ',11'" : "");
    }
    vb_strbuf_format(&work.script, "plot '%s.csv' skip 1 using 2:1:(0.48):(0.46):5 with boxxyerror lc rgb variable",
                     figure->name);
    if (n <= LABELLED_CELLS)
        vb_strbuf_add(&work.script,
                      ", \\\n  '' skip 1 using 2:1:($3 > 0 ? sprintf($4 < 0.95 ? '%.1f' : '%.0f', $4) : ''):6 with labels "
                      "textcolor rgb variable font ',10'");
    vb_strbuf_add(&work.script, "\n");
    vb_strbuf_format(&work.title,
                     "%s: which vocabulary (column) takes how many right images from which (row), in percent of the row's images",
                     it->label);
    if (most > 0)
        vb_strbuf_format(&work.description,
                         "A matrix of %d rows and columns. The largest theft: %s takes %.1f percent of the images of %s.", n,
                         vb_json_text(json_array_get(list, (size_t)worst[1]), "name"), 100 * most,
                         vb_json_text(json_array_get(list, (size_t)worst[0]), "name"));
    else vb_strbuf_format(&work.description, "A matrix of %d rows and columns: nothing is taken.", n);
    return vb_plot_end(&work, err);
}

/* ---- the feature space ---- */

/* The bins that hold anything, and one more on both sides. */
static void bounds(const json_t *bins, size_t *first, size_t *last) {
    for (size_t b = 0; b < json_array_size(bins); b++)
        if (json_integer_value(json_array_get(bins, b)) > 0) {
            if (b < *first) *first = b;
            if (b > *last) *last = b;
        }
}

static double total(const json_t *bins) {
    double sum = 0;
    for (size_t b = 0; b < json_array_size(bins); b++) sum += at(bins, b);
    return sum;
}

/* Rows of: the bin's middle, and the shares of one or two histograms in percent. */
static void add_histogram(vb_plot *work, const json_t *histograms, const char *const *keys, int count) {
    const json_t *bins[2] = {NULL, NULL};
    size_t n = 0, first = SIZE_MAX, last = 0;
    double low = vb_json_number(histograms, "low"), high = vb_json_number(histograms, "high");
    vb_strbuf_add(&work->csv, "middle");
    for (int k = 0; k < count; k++) {
        bins[k] = json_object_get(histograms, keys[k]);
        n = json_array_size(bins[k]);
        bounds(bins[k], &first, &last);
        vb_strbuf_format(&work->csv, ",%s_percent,%s_count", keys[k], keys[k]);
    }
    vb_strbuf_add(&work->csv, "\n");
    double width = (high - low) / (double)n;
    for (size_t b = first; b <= last && first != SIZE_MAX; b++) {
        vb_plot_add_number(&work->csv, low + width * ((double)b + 0.5));
        for (int k = 0; k < count; k++) {
            vb_strbuf_add(&work->csv, ",");
            vb_plot_add_number(&work->csv, 100 * at(bins[k], b) / total(bins[k]));
            vb_strbuf_format(&work->csv, ",%.0f", at(bins[k], b));
        }
        vb_strbuf_add(&work->csv, "\n");
    }
    if (first == SIZE_MAX) first = last = 0;
    vb_strbuf_format(
        &work->script,
        "set lmargin 7\nset rmargin 3\nset tmargin 2.7\nset boxwidth %.10g\nset xrange [%.10g:%.10g]\nset yrange [0:]\n"
        "set grid ytics lt 1 lc rgb '#dee2e7' lw 1\nset ytics format '%%g %%%%'\n",
        width, low + width * ((double)first - 1), low + width * ((double)last + 2));
}

int vb_report_plots_similarities(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *figures = json_object_get(it->entry, "analyses"), *histograms = json_object_get(figures, "histograms");
    if (!json_array_size(json_object_get(histograms, "positive")) ||
        json_array_size(json_object_get(histograms, "positive")) != json_array_size(json_object_get(histograms, "negative")))
        return 0;
    vb_plot work;
    if (vb_plot_begin(&work, plotter, figure, "similarity", it->label, 290, err)) return -1;
    add_histogram(&work, histograms, (const char *const[]){"positive", "negative"}, 2);
    vb_strbuf_format(&work.script,
                     "set xlabel 'similarity of image and class' textcolor rgb '#57606a'\n"
                     "plot '%s.csv' skip 1 using 1:4 with boxes fs solid 1 lc rgb '%s' title 'to other classes', \\\n"
                     "  '' skip 1 using 1:2 with boxes fs transparent solid 0.72 lc rgb '%s' title 'to its own class'\n",
                     figure->name, vb_palette_hex(vb_palette_series(7)), vb_palette_hex(vb_palette_series(0)));
    vb_strbuf_format(&work.title, "%s: similarities of images to their own class and to other classes", it->label);
    vb_strbuf_format(&work.description,
                     "Two histograms, each in percent of its pairs. Means: %.3f to the own class, %.3f to others.",
                     vb_json_number(figures, "positive_mean"), vb_json_number(figures, "negative_mean"));
    return vb_plot_end(&work, err);
}

int vb_report_plots_margins(vb_plotter *plotter, const vb_reported *it, vb_figure *figure, vb_error *err) {
    const json_t *figures = json_object_get(it->entry, "analyses"), *histograms = json_object_get(figures, "histograms");
    double median = vb_json_number(figures, "margin_median");
    if (!json_array_size(json_object_get(histograms, "margin")) || !isfinite(median)) return 0;
    vb_plot work;
    if (vb_plot_begin(&work, plotter, figure, "margin", it->label, 290, err)) return -1;
    add_histogram(&work, histograms, (const char *const[]){"margin"}, 1);
    vb_strbuf_format(
        &work.script,
        "set xlabel 'margin: similarity to the own class less that to the nearest other one' textcolor rgb '#57606a'\n"
        "plot '%s.csv' skip 1 using ($1 > 0 ? $1 : NaN):2 with boxes lc rgb '%s' title 'right among all classes', \\\n"
        "  '' skip 1 using ($1 < 0 ? $1 : NaN):2 with boxes lc rgb '%s' title 'wrong'\n",
        figure->name, vb_palette_hex(vb_palette_series(0)), vb_palette_hex(vb_palette_series(1)));
    vb_strbuf_format(&work.title, "%s: margins of the images", it->label);
    vb_strbuf_format(&work.description, "A histogram in percent of images. The median margin is %.4f.", median);
    return vb_plot_end(&work, err);
}

/* An arrow from one checkpoint of a series to the next. */
static void join_checkpoints(vb_plot *work, const json_t *from, const json_t *to, const double a[2], const double b[2]) {
    const json_t *one = json_object_get(json_object_get(from, "series"), "name"),
                 *other = json_object_get(json_object_get(to, "series"), "name");
    if (!one || !other || !json_equal(one, other)) return;
    vb_strbuf_format(&work->script,
                     "set arrow from %.10g,%.10g to %.10g,%.10g head filled size screen 0.012,18 lc rgb '#8b949e' lw 1.5\n", a[0],
                     a[1], b[0], b[1]);
}

int vb_report_plots_geometry(vb_plotter *plotter, const vb_report_group *group, vb_figure *figure, vb_error *err) {
    vb_plot work;
    int count = 0;
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    static const char *const keys[] = {"uniformity_text", "alignment"};
    for (int m = 0; m < group->count; m++) {
        const json_t *figures = json_object_get(group->entries[m].entry, "analyses");
        if (!isfinite(vb_json_number(figures, keys[0])) || !isfinite(vb_json_number(figures, keys[1]))) continue;
        for (int a = 0; a < 2; a++) {
            double value = vb_json_number(figures, keys[a]);
            if (value < low[a]) low[a] = value;
            if (value > high[a]) high[a] = value;
        }
        count++;
    }
    if (!count) return 0;
    if (vb_plot_begin(&work, plotter, figure, "geometry", group->title, 330, err)) return -1;
    vb_strbuf_add(&work.csv, "uniformity_text,alignment,acc_e,colour,name\n");
    vb_strbuf_format(&work.description, "A point for each model, arrows along a series of checkpoints:");
    const json_t *before = NULL;
    double last[2] = {0};
    for (int m = 0; m < group->count; m++) {
        const json_t *figures = json_object_get(group->entries[m].entry, "analyses");
        double x = vb_json_number(figures, keys[0]), y = vb_json_number(figures, keys[1]);
        if (!isfinite(x) || !isfinite(y)) continue;
        join_checkpoints(&work, before, group->entries[m].entry, last, (const double[]){x, y});
        before = group->entries[m].entry;
        last[0] = x, last[1] = y;
        vb_strbuf_format(&work.csv, "%.10g,%.10g,", x, y);
        vb_plot_add_number(&work.csv, vb_json_number(group->entries[m].entry, "acc_e"));
        vb_strbuf_format(&work.csv, ",%d,", vb_palette_rgb(vb_palette_series(m)));
        vb_strbuf_add_csv(&work.csv, group->entries[m].label);
        vb_strbuf_add(&work.csv, "\n");
        vb_strbuf_format(&work.description, " %s: uniformity %.3f, alignment %.3f.", group->entries[m].label, x, y);
        vb_strbuf_format(&work.script, "set label ");
        vb_plot_add_name(&work.script, group->entries[m].label, 36, false);
        bool right = x > (low[0] + high[0]) / 2;
        vb_strbuf_format(&work.script, " at %.10g,%.10g %s offset %s,0 textcolor rgb '#1b1f24'\n", x, y, right ? "right" : "left",
                         right ? "-1" : "1");
    }
    for (int a = 0; a < 2; a++) {
        double spread = high[a] - low[a] > 1e-6 ? high[a] - low[a] : 0.1 * fabs(high[a]) + 0.01;
        vb_strbuf_format(&work.script, "set %crange [%.10g:%.10g]\n", "xy"[a], low[a] - 0.35 * spread, high[a] + 0.35 * spread);
    }
    vb_strbuf_format(
        &work.script,
        "unset key\nset lmargin 12\nset rmargin 3\nset grid xtics ytics lt 1 lc rgb '#dee2e7' lw 1\nset xlabel 'uniformity "
        "of the texts (lower is better)' "
        "textcolor rgb '#57606a'\nset ylabel 'alignment (lower is better)' textcolor rgb '#57606a'\n"
        "plot '%s.csv' skip 1 using 1:2:4 with points pt 7 ps 1.1 lc rgb variable\n",
        figure->name);
    vb_strbuf_format(&work.title, "%s: alignment of images with their texts, and uniformity of the texts", group->title);
    return vb_plot_end(&work, err);
}
