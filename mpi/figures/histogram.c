/* Histograms in percent. */
#include "mpi/figures/histogram.h"

#include <assert.h>
#include <stdint.h>

extern const char vb_histogram_gp[]; /* histogram.gp, by make */

bool vb_histogram_given(const json_t *histograms, const char *name) { return json_array_size(json_object_get(histograms, name)); }

static void widen_bounds(const json_t *bins, size_t *first, size_t *last) {
    for (size_t b = 0; b < json_array_size(bins); b++)
        if (json_integer_value(json_array_get(bins, b)) > 0) {
            if (b < *first) *first = b;
            if (b > *last) *last = b;
        }
}

static double bin_count(const json_t *bins, size_t b) { return json_number_value(json_array_get(bins, b)); }

static double bins_total(const json_t *bins) {
    double sum = 0;
    for (size_t b = 0; b < json_array_size(bins); b++) sum += bin_count(bins, b);
    return sum;
}

int vb_histogram_add(vb_plot *plot, const json_t *histograms, const char *const *names, int count, vb_error *err) {
    const json_t *bins[2] = {NULL, NULL};
    size_t n = 0, first = SIZE_MAX, last = 0;
    double low = json_number_value(json_object_get(histograms, "low")),
           high = json_number_value(json_object_get(histograms, "high"));
    assert(count == 1 || count == 2);
    vb_strbuf_add(&plot->csv, "middle");
    for (int k = 0; k < count; k++) {
        bins[k] = json_object_get(histograms, names[k]);
        n = json_array_size(bins[k]);
        widen_bounds(bins[k], &first, &last);
        vb_strbuf_format(&plot->csv, ",%s_percent,%s_count", names[k], names[k]);
    }
    vb_strbuf_add(&plot->csv, "\n");
    double width = (high - low) / (double)n;
    for (size_t b = first; b <= last && first != SIZE_MAX; b++) {
        vb_plot_add_number(&plot->csv, low + width * ((double)b + 0.5));
        for (int k = 0; k < count; k++) {
            vb_strbuf_add(&plot->csv, ",");
            vb_plot_add_number(&plot->csv, 100 * bin_count(bins[k], b) / bins_total(bins[k]));
            vb_strbuf_format(&plot->csv, ",%.0f", bin_count(bins[k], b));
        }
        vb_strbuf_add(&plot->csv, "\n");
    }
    if (first == SIZE_MAX) first = last = 0;
    vb_plot_set(plot, "BIN", "%.10g", width);
    vb_plot_set(plot, "LOW", "%.10g", low + width * ((double)first - 1));
    vb_plot_set(plot, "HIGH", "%.10g", low + width * ((double)last + 2));
    return vb_plot_script(plot, vb_histogram_gp, "histogram.gp", err);
}
