/* The analysis `alignment`: how far images lie from their class, and images as a whole from texts as a whole. */
#include <math.h>

#include "kernels/base/memory.h"
#include "mpi/analyse/analysis.h"

/* |mean of the images' unit vectors - mean of the texts'| */
static int modality_gap(const vb_image_pass *pass, const vb_classifier *classifier, double *gap, vb_error *err) {
    int dim = classifier->dim, classes = classifier->classes, status = -1;
    double square = 0;
    vb_fixed_sum *texts = vb_array((size_t)dim, sizeof *texts, "centroid", err);
    double *inverse = vb_array((size_t)classes, sizeof *inverse, "norms of texts", err);
    if (!texts || !inverse || vb_features_inverse_norms(classifier->texts, classes, dim, inverse, err)) goto done;
    vb_features_centroid_add(texts, classifier->texts, inverse, classes, dim);
    for (int k = 0; k < dim; k++) {
        double difference =
            vb_fixed_sum_value(&pass->centroid[k]) / (double)pass->sums.images - vb_fixed_sum_value(&texts[k]) / classes;
        square += difference * difference;
    }
    *gap = sqrt(square);
    status = 0;
done:
    vb_free(texts);
    vb_free(inverse);
    return status;
}

static int run_alignment(vb_analysis_work *work, vb_error *err) {
    const vb_similarity_sums *sums = &work->pass->sums;
    double gap;
    if (modality_gap(work->pass, work->pair->classifier, &gap, err)) return -1;
    vb_analysis_set_mean(work, "alignment", &sums->alignment, sums->images);
    vb_json_set_real(work->json, work->figures, "modality_gap", gap);
    return 0;
}

/* Its figure is that of uniformity: mpi/analyse/geometry_section.c. */
static const vb_section_number alignment_numbers[] = {{"alignment", "alignment"}, {"modality_gap", "modality gap"}, {NULL, NULL}};
static const vb_section alignment_section = {.scope = VB_SECTION_OF_GROUP, .numbers = alignment_numbers};

const vb_analysis vb_analysis_alignment = {.needs = VB_IMAGE_PASS_SUMS | VB_IMAGE_PASS_CENTROID,
                                           .run = run_alignment,
                                           .bytes = vb_image_pass_bytes,
                                           .section = &alignment_section};
