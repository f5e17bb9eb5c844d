/* The analysis `margin`: similarity with the image's class less that with the best other one. */
#include <math.h>
#include <stdio.h>

#include "mpi/analyse/analysis.h"
#include "mpi/figures/histogram.h"

static const double levels[] = {0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};

static void set_quantiles(const vb_analysis_work *work) {
    const vb_image_pass *pass = work->pass;
    json_t *object = vb_json_set_object(work->json, work->figures, "margin_quantiles");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        char key[16];
        snprintf(key, sizeof key, "%g", levels[i]);
        vb_json_set_real(work->json, object, key, vb_features_quantile(pass->margins, pass->margin_count, levels[i]));
    }
}

static int run_margin(vb_analysis_work *work, vb_error *err) {
    (void)err;
    const vb_image_pass *pass = work->pass;
    const vb_similarity_sums *sums = &pass->sums;
    bool some = pass->margin_count > 0;
    vb_json_set_real(work->json, work->figures, "margin_median",
                     some ? vb_features_median(pass->margins, pass->margin_count) : NAN);
    vb_analysis_set_mean(work, "margin_mean", &sums->margin, sums->margins);
    if (some) set_quantiles(work);
    else vb_json_set(work->json, work->figures, "margin_quantiles", json_null());
    vb_analysis_set_histogram(work, "margin", sums->margin_bins, sums->margin_beyond);
    return 0;
}

/* ---- what reports show ---- */

extern const char vb_margin_gp[]; /* margin.gp, by make */

static int plot_margins(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *figures = json_object_get(subject->results->entry, "analyses"),
                 *histograms = json_object_get(figures, "histograms");
    double median = vb_json_number(figures, "margin_median");
    vb_plot plot;
    if (!vb_histogram_given(histograms, "margin") || !isfinite(median)) return 0;
    if (vb_plot_begin(&plot, plotter, figure, "margin", subject->title, VB_HISTOGRAM_HEIGHT, err)) return -1;
    int status = vb_histogram_add(&plot, histograms, (const char *const[]){"margin"}, 1, err);
    if (!status) status = vb_plot_script(&plot, vb_margin_gp, "margin.gp", err);
    vb_strbuf_format(&plot.title, "%s: margins of the images", subject->title);
    vb_strbuf_format(&plot.description, "A histogram in percent of images. The median margin is %.4f.", median);
    return vb_plot_end(&plot, status, err);
}

static const vb_section_number margin_numbers[] = {{"margin_median", "median margin"}, {NULL, NULL}};
static const vb_section margin_section = {.scope = VB_SECTION_OF_RESULT,
                                          .place = 70,
                                          .numbers = margin_numbers,
                                          .plot = plot_margins};

const vb_analysis vb_analysis_margin = {.needs = VB_IMAGE_PASS_SUMS | VB_IMAGE_PASS_MARGINS,
                                        .run = run_margin,
                                        .bytes = vb_image_pass_bytes,
                                        .section = &margin_section};
