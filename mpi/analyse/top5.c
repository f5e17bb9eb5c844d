/* The analysis `top5`: what other tools print beside top-1 (kernels/openness/class_recall.h). Integers are counted; ranks of
 * classes are decided exactly (kernels/openness/similarity.h). */
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/class_recall.h"
#include "kernels/openness/similarity.h"
#include "mpi/analyse/analysis.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/errors_json.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

typedef struct top_work {
    const vb_pair *pair;
    vb_text_bank *bank;
    vb_device_products device; /* of the bank */
    vb_memberships memberships;
    int deletions;   /* vocabularies, or 0 for too many */
    int *alone;      /* of every class: the only vocabulary that holds it, or -1 */
    int *before;     /* scratch: by vocabulary, classes of it alone that are before the image's */
    int64_t *counts; /* vb_recall_counts */
} top_work;

/* How many classes are ranked before the view's, and (in work->before) how many of them each vocabulary alone holds. */
static int count_before(const top_work *work, const uint64_t *bits, size_t words) {
    int before = 0;
    memset(work->before, 0, (size_t)work->deletions * sizeof *work->before);
    for (size_t w = 0; w < words; w++) {
        before += __builtin_popcountll(bits[w]);
        for (uint64_t rest = work->deletions ? bits[w] : 0; rest; rest &= rest - 1) {
            const int v = work->alone[w * 64 + (size_t)__builtin_ctzll(rest)];
            if (v >= 0) work->before[v]++;
        }
    }
    return before;
}

static void count_row(int64_t *row, int before) {
    row[VB_RECALL_IMAGES]++;
    row[VB_RECALL_AT_1] += before < 1;
    row[VB_RECALL_AT_TOP] += before < VB_RECALL_TOP;
}

/* Of sets the first-ranked right class; no other is before it. Without the vocabulary that alone holds that class the next one
 * takes its place, and an image that has none is gone. */
static void count_image(const top_work *work, const vb_unit_views *views, int64_t i, const uint64_t *bits, size_t words) {
    const int64_t first = vb_unit_views_first(views, i), end = first + vb_unit_views_count(views, i);
    const int *labels = views->block.labels, holder = work->alone[labels[first]];
    int64_t *rows = work->counts + (size_t)views->rows->classes[i] * vb_class_recall_rows(work->deletions) * VB_RECALL_COUNTS;
    const int before = count_before(work, bits + (size_t)first * words, words);
    count_row(rows, before);
    for (int u = 0; u < work->deletions; u++)
        if (u != holder) count_row(rows + (1 + u) * VB_RECALL_COUNTS, before - work->before[u]);
    if (!work->deletions || holder < 0) return;
    int64_t next = first;
    while (next < end && work->alone[labels[next]] == holder) next++;
    if (next == end) return;
    const int others = count_before(work, bits + (size_t)next * words, words);
    count_row(rows + (1 + holder) * VB_RECALL_COUNTS, others - work->before[holder]);
}

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
    for (int i = 0; i < rows->count && !status; i++) count_image(work, &views, i, bits, words);
    vb_free(beaten);
    vb_free(bits);
    vb_unit_views_close(&views);
    return status;
}

static int set_figures(const vb_analysis_work *work, const vb_recall_counts *counts, vb_error *err) {
    static const char *const keys[VB_RECALL_FIGURES] = {"top5_all", "class_recall", "class_recall_at_5"};
    vb_recall found;
    if (vb_class_recall(&found, counts, err)) return -1;
    for (int f = 0; f < VB_RECALL_FIGURES; f++) vb_json_set_real(work->json, work->figures, keys[f], found.value[f]);
    json_t *errors = vb_json_set_object(work->json, work->figures, "top5_errors");
    for (int f = 0; f < VB_RECALL_FIGURES; f++)
        vb_errors_json_set(work->json, errors, keys[f], &found.errors[f], f == VB_RECALL_TOP_ALL ? found.wilson : NULL);
    return 0;
}

static int prepare(top_work *its, const vb_context *context, vb_error *err) {
    const vb_classifier *classifier = its->pair->classifier;
    const int classes = classifier->classes, vocabularies = its->pair->data->space.vocabularies;
    its->deletions = vocabularies > VB_RECALL_VOCABULARIES_MAX ? 0 : vocabularies;
    const size_t count = (size_t)classes * vb_class_recall_rows(its->deletions) * VB_RECALL_COUNTS;
    if (!(its->counts = vb_array(count, sizeof *its->counts, "counts of classes", err))) return -1;
    if (!(its->alone = vb_array((size_t)classes, sizeof *its->alone, "counts of classes", err))) return -1;
    if (!(its->before = vb_array((size_t)its->deletions, sizeof *its->before, "counts of classes", err))) return -1;
    if (vb_label_space_memberships_new(&its->memberships, &its->pair->data->space, err)) return -1;
    for (int c = 0; c < classes; c++) {
        const int first = its->memberships.offsets[c], next = its->memberships.offsets[c + 1];
        its->alone[c] = next - first == 1 ? its->memberships.vocabularies[first] : -1;
    }
    return vb_device_products_bank(&its->device, &its->bank, context, its->pair, classifier->texts, classes, classifier->dim,
                                   err);
}

static int run_top5(vb_analysis_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    const int classes = work->pair->classifier->classes;
    top_work its = {.pair = work->pair};
    int status = prepare(&its, work->context, err);
    if (!status) status = vb_unit_pass(work->context, work->pair->source, count_unit, &its, err);
    status = vb_context_barrier(work->context, status, err);
    if (!status)
        status =
            vb_comm_sum_to_root(comm, its.counts, (size_t)classes * vb_class_recall_rows(its.deletions) * VB_RECALL_COUNTS, err);
    if (!status && !comm->rank) status = set_figures(work, &(vb_recall_counts){classes, its.deletions, its.counts}, err);
    vb_similarity_bank_free(its.bank);
    vb_device_products_close(&its.device);
    vb_label_space_memberships_free(&its.memberships);
    vb_free(its.counts);
    vb_free(its.alone);
    vb_free(its.before);
    return vb_comm_agree(comm, status, err);
}

static int64_t top5_bytes(const vb_pair_shape *s) {
    const int64_t rows = s->vocabularies > VB_RECALL_VOCABULARIES_MAX ? 1 : 1 + s->vocabularies;
    return vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) +
           s->classes * (VB_UNIT_SAMPLES / 8 + 4 + 8 * VB_RECALL_COUNTS * rows) + VB_UNIT_SAMPLES * s->vocabularies;
}

static double top5_operations(const vb_pair_shape *s) { return 2.0 * (double)s->images * (double)s->classes * (double)s->dim; }

static const vb_section_number top5_numbers[] = {{"top5_all", "accuracy at 5"},
                                                 {"class_recall", "mean recall of classes"},
                                                 {NULL, NULL}};
static const vb_section top5_section = {.scope = VB_SECTION_OF_RESULT, .place = 65, .numbers = top5_numbers};

const vb_analysis vb_analysis_top5 = {.run = run_top5,
                                      .bytes = top5_bytes,
                                      .operations = top5_operations,
                                      .section = &top5_section};
