/* Margins of the images: a histogram. */
#include "mpi/report/margins_section.h"

#include <math.h>

#include "mpi/figures/histogram.h"
#include "mpi/base/json.h"

extern const char vb_margins_gp[]; /* margins.gp, by make */

static int plot_margins(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *figures = json_object_get(subject->results->entry, "analyses"),
                 *histograms = json_object_get(figures, "histograms");
    double median = vb_json_number(figures, "margin_median");
    vb_plot plot;
    if (!vb_histogram_given(histograms, "margin") || !isfinite(median)) return 0;
    if (vb_plot_begin(&plot, plotter, figure, "margin", subject->title, VB_HISTOGRAM_HEIGHT, err)) return -1;
    int status = vb_histogram_add(&plot, histograms, (const char *const[]){"margin"}, 1, err);
    if (!status) status = vb_plot_script(&plot, vb_margins_gp, "margins.gp", err);
    vb_strbuf_format(&plot.title, "%s: margins of the images", subject->title);
    vb_strbuf_format(&plot.description, "A histogram in percent of images. The median margin is %.4f.", median);
    return vb_plot_end(&plot, status, err);
}

static const vb_section_number numbers[] = {{"margin_median", "median margin"}, {NULL, NULL}};

const vb_section vb_margins_section = {.scope = VB_SECTION_OF_RESULT, .place = 70, .numbers = numbers, .plot = plot_margins};
