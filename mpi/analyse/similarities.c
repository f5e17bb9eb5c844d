/* The analysis `similarity`: of images with their own class, and with all others. */
#include "mpi/analyse/analysis.h"

static int run(vb_analysis_work *work, vb_error *err) {
    (void)err;
    const vb_similarity_sums *sums = &work->pass->sums;
    vb_json *json = work->json;
    vb_analysis_set_mean(work, "positive_mean", &sums->positive, sums->images);
    vb_analysis_set_mean(work, "negative_mean", &sums->negative, sums->negatives);
    vb_json_set_real(json, work->figures, "overlap",
                     vb_features_overlap(sums->positive_bins, sums->negative_bins, VB_HISTOGRAM_BINS));
    vb_json_set(json, work->histograms, "positive", vb_json_integer_list(json, sums->positive_bins, VB_HISTOGRAM_BINS));
    vb_json_set(json, work->histograms, "negative", vb_json_integer_list(json, sums->negative_bins, VB_HISTOGRAM_BINS));
    return 0;
}

const vb_analysis vb_analysis_similarity = {.needs = VB_IMAGE_PASS_SUMS, .run = run, .bytes = vb_image_pass_bytes};
