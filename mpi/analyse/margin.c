/* The analysis `margin`: similarity with the image's class less that with the best other one. */
#include <math.h>
#include <stdio.h>

#include "mpi/analyse/analysis.h"

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

static int run(vb_analysis_work *work, vb_error *err) {
    (void)err;
    const vb_image_pass *pass = work->pass;
    const vb_similarity_sums *sums = &pass->sums;
    bool some = pass->margin_count > 0;
    vb_json_set_real(work->json, work->figures, "margin_median",
                     some ? vb_features_median(pass->margins, pass->margin_count) : NAN);
    vb_analysis_set_mean(work, "margin_mean", &sums->margin, sums->margins);
    if (some) set_quantiles(work);
    else vb_json_set(work->json, work->figures, "margin_quantiles", json_null());
    vb_json_set(work->json, work->histograms, "margin", vb_json_integer_list(work->json, sums->margin_bins, VB_HISTOGRAM_BINS));
    return 0;
}

const vb_analysis vb_analysis_margin = {.needs = VB_IMAGE_PASS_SUMS | VB_IMAGE_PASS_MARGINS,
                                        .run = run,
                                        .bytes = vb_image_pass_bytes};
