/* The analysis `similarity`: of images with their own class, and with all others. */
#include <math.h>

#include "mpi/analyse/analysis.h"
#include "mpi/figures/histogram.h"

static int run_similarity(vb_analysis_work *work, vb_error *err) {
    (void)err;
    const vb_similarity_sums *sums = &work->pass->sums;
    vb_json *json = work->json;
    vb_analysis_set_mean(work, "positive_mean", &sums->positive, sums->images);
    vb_analysis_set_mean(work, "negative_mean", &sums->negative, sums->negatives);
    vb_json_set_real(json, work->figures, "overlap",
                     vb_features_overlap(sums->positive_bins, sums->negative_bins, VB_HISTOGRAM_BINS));
    vb_analysis_set_histogram(work, "positive", sums->positive_bins, sums->positive_beyond);
    vb_analysis_set_histogram(work, "negative", sums->negative_bins, sums->negative_beyond);
    return 0;
}

/* ---- what reports show ---- */

extern const char vb_similarities_gp[]; /* similarities.gp, by make */

static int plot_similarities(const vb_section_subject *subject, vb_plotter *plotter, vb_figure *figure, vb_error *err) {
    const json_t *figures = json_object_get(subject->results->entry, "analyses"),
                 *histograms = json_object_get(figures, "histograms");
    vb_plot plot;
    if (!vb_histogram_given(histograms, "positive") || !vb_histogram_given(histograms, "negative")) return 0;
    if (vb_plot_begin(&plot, plotter, figure, "similarity", subject->title, VB_HISTOGRAM_HEIGHT, err)) return -1;
    int status = vb_histogram_add(&plot, histograms, (const char *const[]){"positive", "negative"}, 2, err);
    if (!status) status = vb_plot_script(&plot, vb_similarities_gp, "similarities.gp", err);
    vb_strbuf_format(&plot.title, "%s: similarities of images to their own class and to other classes", subject->title);
    const double others = vb_json_number(figures, "negative_mean"); /* of one class there are none */
    vb_strbuf_format(&plot.description, "Two histograms, each in percent of its pairs. Means: %.3f to the own class",
                     vb_json_number(figures, "positive_mean"));
    if (isfinite(others)) vb_strbuf_format(&plot.description, ", %.3f to others.", others);
    else vb_strbuf_add(&plot.description, "; there are no others.");
    return vb_plot_end(&plot, status, err);
}

static const vb_section_number similarity_numbers[] = {{"positive_mean", "similarity to own class"},
                                                       {"negative_mean", "to other classes"},
                                                       {"overlap", "overlap"},
                                                       {NULL, NULL}};
static const vb_section similarity_section = {.scope = VB_SECTION_OF_RESULT,
                                              .place = 60,
                                              .numbers = similarity_numbers,
                                              .plot = plot_similarities};

const vb_analysis vb_analysis_similarity = {.needs = VB_IMAGE_PASS_SUMS,
                                            .run = run_similarity,
                                            .bytes = vb_image_pass_bytes,
                                            .section = &similarity_section};
