/* The analysis `top5`: what other tools print beside top-1, over all classes at once: accuracy at 5, and the mean over classes of
 * their recall. Integers are counted; ranks of classes are decided exactly (kernels/openness/similarity.h). */
#include <stdlib.h>

#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"
#include "mpi/analyse/analysis.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

enum { TOP = 5 };
enum { IMAGES, RIGHT_AT_1, RIGHT_AT_TOP, COUNTS }; /* of each class */

typedef struct top_work {
    const vb_pair *pair;
    vb_text_bank *bank;
    vb_memberships memberships;
    int64_t *counts; /* classes x COUNTS */
} top_work;

static int count_unit(void *context, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    top_work *work = context;
    const vb_label_space *space = &work->pair->data->space;
    const size_t words = vb_similarity_pool_words(space->classes);
    if (!rows->count) return 0;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, vb_image_source_sets(work->pair->source), work->bank, &work->memberships, err);
    const size_t count = status ? 0 : (size_t)views.block.rows;
    uint8_t *beaten = vb_array(count * (size_t)space->vocabularies, 1, "outcome of a unit", err);
    uint64_t *bits = vb_array(count * words, sizeof *bits, "classes before the image's own", err);
    if (!beaten || !bits) status = -1;
    if (!status) status = vb_similarity_judge_pool(work->bank, space, &views.block, 0, beaten, bits, work->pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++) { /* of sets the first-ranked right class; no other is before it */
        const size_t first = (size_t)vb_unit_views_first(&views, i);
        int before = 0;
        for (size_t w = 0; w < words; w++) before += __builtin_popcountll(bits[first * words + w]);
        int64_t *of_class = work->counts + (size_t)rows->classes[i] * COUNTS;
        of_class[IMAGES]++;
        of_class[RIGHT_AT_1] += before < 1;
        of_class[RIGHT_AT_TOP] += before < TOP;
    }
    vb_free(beaten);
    vb_free(bits);
    vb_unit_views_close(&views);
    return status;
}

/* The standard error of a mean of n zeros and ones of which `right` are ones. */
static double error_of(int64_t right, int64_t n) {
    const double p = (double)right / (double)n;
    return n > 1 ? sqrt(p * (1 - p) / (double)(n - 1)) : NAN;
}

static void set_figures(const vb_analysis_work *work, const int64_t *counts, int classes) {
    int64_t images = 0, right = 0;
    double recall[2] = {0}, squares = 0; /* at 1 and at TOP; of the first one's standard errors */
    int with_images = 0;
    for (int c = 0; c < classes; c++, counts += COUNTS) {
        if (!counts[IMAGES]) continue;
        const double error = error_of(counts[RIGHT_AT_1], counts[IMAGES]);
        images += counts[IMAGES];
        right += counts[RIGHT_AT_TOP];
        for (int k = 0; k < 2; k++) recall[k] += (double)counts[RIGHT_AT_1 + k] / (double)counts[IMAGES];
        squares += error * error;
        with_images++;
    }
    const bool some = images > 0;
    vb_json_set_real(work->json, work->figures, "top5_all", some ? (double)right / (double)images : NAN);
    vb_json_set_real(work->json, work->figures, "top5_all_se", some ? error_of(right, images) : NAN);
    vb_json_set_real(work->json, work->figures, "class_recall", some ? recall[0] / with_images : NAN);
    vb_json_set_real(work->json, work->figures, "class_recall_se", some ? sqrt(squares) / with_images : NAN);
    vb_json_set_real(work->json, work->figures, "class_recall_at_5", some ? recall[1] / with_images : NAN);
}

static int run_top5(vb_analysis_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    const vb_classifier *classifier = work->pair->classifier;
    const size_t count = (size_t)classifier->classes * COUNTS;
    top_work its = {.pair = work->pair, .counts = vb_array(count, sizeof *its.counts, "counts of classes", err)};
    int status = its.counts ? vb_similarity_bank_new(&its.bank, classifier->texts, classifier->classes, classifier->dim,
                                                     work->pair->spec->similarity, err) :
                              -1;
    if (!status) status = vb_label_space_memberships_new(&its.memberships, &work->pair->data->space, err);
    if (!status) status = vb_unit_pass(work->context, work->pair->source, count_unit, &its, err);
    status = vb_context_barrier(work->context, status, err);
    if (!status) status = vb_comm_sum_to_root(comm, its.counts, count, err);
    if (!status && !comm->rank) set_figures(work, its.counts, classifier->classes);
    vb_similarity_bank_free(its.bank);
    vb_label_space_memberships_free(&its.memberships);
    vb_free(its.counts);
    return status;
}

static int64_t top5_bytes(const vb_pair_shape *s) {
    return vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) + s->classes * (VB_UNIT_SAMPLES / 8 + 8 * COUNTS) +
           VB_UNIT_SAMPLES * s->vocabularies;
}

static double top5_operations(const vb_pair_shape *s) { return 2.0 * (double)s->images * (double)s->classes * (double)s->dim; }

static const vb_section_number top5_numbers[] = {{"top5_all", "accuracy at 5"},
                                                 {"class_recall", "mean recall of classes"},
                                                 {NULL, NULL}};
static const vb_section top5_section = {.scope = VB_SECTION_OF_RESULT, .place = 65, .numbers = top5_numbers};

const vb_analysis vb_analysis_top5 = {
    .sets = true, .run = run_top5, .bytes = top5_bytes, .operations = top5_operations, .section = &top5_section};
