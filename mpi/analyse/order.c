/* The analysis `order`: the envelope of the accuracy curve over all orders of arrival.
 *
 * Which vocabularies beat each right image is gathered on rank 0, which makes the envelope of every target. */
#include <string.h>

#include "kernels/openness/envelope.h"
#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"
#include "mpi/analyse/analysis.h"
#include "mpi/analyse/curves_section.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/unit_pass.h"
#include "mpi/evaluate/unit_views.h"

/* A row: the vocabulary, then the bits of those that beat the image. */
typedef struct rows_of_bits {
    uint64_t *rows;
    size_t count, capacity, words; /* words of a row, the first one included */
} rows_of_bits;

/* While this rank's units are visited. */
typedef struct order_work {
    const vb_pair *pair;
    vb_text_bank *bank;
    vb_device_products device; /* of the bank */
    vb_memberships memberships;
    rows_of_bits bits; /* of the right images */
    int64_t *images;   /* of each vocabulary */
} order_work;

/* Where labels are sets, an image of several vocabularies may be rescued by one of them: then which beat it does not tell in what
 * orders it is right. */
static int check_image(const vb_unit_views *views, int64_t i, vb_error *err) {
    if (vb_unit_views_count(views, i) == 1) return 0;
    return vb_errorf(err, VB_EUNSUPPORTED,
                     "image '%s' has right classes in several vocabularies: 'order' takes images of one vocabulary each",
                     views->rows->names[i]);
}

/* Whether the image has a view for each of several vocabularies, whatever its similarities: no class of its set is of all of its
 * vocabularies. seen: scratch, by vocabulary. */
static bool crosses(const vb_class_set *set, const vb_memberships *memberships, uint8_t *seen, size_t vocabularies) {
    int all = 0, most = 0;
    memset(seen, 0, vocabularies);
    for (int i = 0; i < set->count; i++) {
        const int class = set->classes[i], first = memberships->offsets[class], next = memberships->offsets[class + 1];
        for (int h = first; h < next; h++) all += !seen[memberships->vocabularies[h]]++;
        if (next - first > most) most = next - first;
    }
    return most < all;
}

/* Of broken images that are skipped nothing is known yet: the run looks at those that it has. */
static int check_order(const vb_analysis_subject *its, vb_error *err) {
    const vb_dataset_state *data = its->data;
    const size_t vocabularies = (size_t)data->space.vocabularies;
    vb_memberships memberships = {0};
    if (!its->sets || (!its->classes && data->spec->on_error == VB_ON_ERROR_SKIP)) return 0;
    uint8_t *seen = vb_array(vocabularies, 1, "vocabularies of an image", err);
    int status = seen ? vb_label_space_memberships_new(&memberships, &data->space, err) : -1;
    for (int64_t x = 0; x < its->sets->images && !status; x++) {
        const vb_class_set set = vb_class_sets_at(its->sets, x);
        if (its->classes ? its->classes[x] < 0 : data->kept && !data->kept[x]) continue;
        if (crosses(&set, &memberships, seen, vocabularies))
            status = vb_errorf(err, VB_EUNSUPPORTED,
                               "image %s%lld%s has right classes in several vocabularies: 'order' takes images of one "
                               "vocabulary each",
                               its->classes ? "'row " : "", (long long)x, its->classes ? "'" : " (from 0)");
    }
    vb_label_space_memberships_free(&memberships);
    vb_free(seen);
    return status;
}

static int add_image(order_work *its, int class, const uint8_t *by, vb_error *err) {
    rows_of_bits *bits = &its->bits;
    const vb_memberships *memberships = &its->memberships;
    size_t vocabularies = (size_t)its->pair->data->space.vocabularies;
    for (int h = memberships->offsets[class]; h < memberships->offsets[class + 1]; h++) {
        int own_vocabulary = memberships->vocabularies[h];
        its->images[own_vocabulary]++;
        if (by[own_vocabulary]) continue;
        if (vb_grow((void **)&bits->rows, &bits->capacity, (bits->count + 1) * bits->words, sizeof *bits->rows, "right images",
                    err))
            return -1;
        uint64_t *row = bits->rows + bits->count++ * bits->words;
        row[0] = (uint64_t)own_vocabulary;
        for (size_t u = 0; u < vocabularies; u++) row[1 + u / 64] |= (uint64_t)by[u] << u % 64;
    }
    return 0;
}

static int add_outcomes(void *work, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    order_work *its = work;
    const vb_pair *pair = its->pair;
    if (!rows->count) return 0;
    size_t vocabularies = (size_t)pair->data->space.vocabularies;
    vb_unit_views views;
    int status = vb_unit_views_open(&views, rows, vb_image_source_sets(pair->source), its->bank, &its->memberships, err);
    for (int i = 0; i < rows->count && !status; i++) status = check_image(&views, i, err);
    uint8_t *beaten = vb_array((size_t)rows->count * vocabularies, 1, "outcome of a unit", err);
    if (!beaten) status = -1;
    if (!status) status = vb_similarity_judge(its->bank, &pair->data->space, &views.block, beaten, NULL, pair->threads, err);
    for (int i = 0; i < rows->count && !status; i++)
        status = add_image(its, views.block.labels[i], beaten + (size_t)i * vocabularies, err);
    vb_free(beaten);
    vb_unit_views_close(&views);
    return status;
}

static int collect_outcomes(order_work *its, vb_context *context, vb_error *err) {
    const vb_pair *pair = its->pair;
    const vb_classifier *classifier = pair->classifier;
    int status = vb_device_products_bank(&its->device, &its->bank, context, pair, classifier->texts, classifier->classes,
                                         classifier->dim, err);
    if (!status) status = vb_label_space_memberships_new(&its->memberships, &pair->data->space, err);
    if (!status) status = vb_unit_pass(context, pair->source, add_outcomes, its, err);
    vb_label_space_memberships_free(&its->memberships);
    vb_similarity_bank_free(its->bank);
    vb_device_products_close(&its->device);
    its->bank = NULL;
    return status;
}

/* The masks of one vocabulary's images from all blocks, into `out`; their number. */
static int64_t select_rows(const vb_blocks *blocks, size_t words, int vocabulary, uint64_t *out) {
    int64_t n = 0;
    for (int r = 0; r < blocks->count; r++) {
        const uint64_t *row = blocks->bytes[r], *end = row + blocks->sizes[r] / sizeof *row;
        for (; row < end; row += words)
            if (row[0] == (uint64_t)vocabulary) memcpy(out + (size_t)n++ * (words - 1), row + 1, (words - 1) * sizeof *out);
    }
    return n;
}

/* counts[i] / images, added to sums[i]. */
static json_t *add_shares(vb_json *json, const int64_t *counts, int n, int64_t images, double *sums) {
    json_t *list = vb_json_array(json);
    for (int i = 0; i < n; i++) {
        double share = (double)counts[i] / (double)images;
        sums[i] += share;
        vb_json_append_real(json, list, share);
    }
    return list;
}

static json_t *list_means(vb_json *json, const double *sums, int n) {
    json_t *list = vb_json_array(json);
    for (int i = 0; i < n; i++) vb_json_append_real(json, list, sums[i] / n);
    return list;
}

/* Rank 0. */
static int find_envelopes(vb_analysis_work *work, const vb_blocks *blocks, size_t words, const int64_t *images, vb_error *err) {
    static const char *const keys[] = {"worst", "best", "worst_bound", "best_bound"};
    const vb_pair *pair = work->pair;
    vb_json *json = work->json;
    int n = pair->data->space.vocabularies, status = -1;
    size_t total = 0, entries = (size_t)n;
    for (int r = 0; r < blocks->count; r++) total += blocks->sizes[r] / sizeof(uint64_t) / words;
    uint64_t *masks = vb_array(total * (words - 1), sizeof *masks, "right images", err);
    int64_t *counts = vb_array(4 * entries, sizeof *counts, "envelope", err);
    double *sums = vb_array(4 * entries, sizeof *sums, "envelope", err);
    json_t *order = vb_json_set_object(json, work->figures, "order"), *list = vb_json_array(json);
    bool exact = true;
    if (!masks || !counts || !sums) goto done;
    vb_envelope envelope = {counts, counts + n, counts + 2 * n, counts + 3 * n};
    for (int v = 0; v < n; v++) {
        int64_t right = select_rows(blocks, words, v, masks);
        if (vb_envelope_of_orders(&envelope, masks, right, n, v, err)) goto done;
        json_t *entry = vb_json_object(json);
        vb_json_set_text(json, entry, "name", pair->data->vocabularies.names[v]);
        for (int k = 0; k < 4; k++)
            vb_json_set(json, entry, keys[k], add_shares(json, counts + k * n, n, images[v], sums + k * n));
        exact = exact && !memcmp(envelope.worst, envelope.least, entries * sizeof *counts) &&
                !memcmp(envelope.best, envelope.most, entries * sizeof *counts);
        vb_json_append(json, list, entry);
    }
    vb_json_set_bool(json, order, "exact", exact);
    for (int k = 0; k < 4; k++) vb_json_set(json, order, keys[k], list_means(json, sums + k * n, n));
    vb_json_set(json, order, "vocabularies", json_incref(list));
    status = 0;
done:
    json_decref(list);
    vb_free(masks);
    vb_free(counts);
    vb_free(sums);
    return status;
}

static int run_order(vb_analysis_work *work, vb_error *err) {
    vb_comm *comm = &work->context->comm;
    int n = work->pair->data->space.vocabularies;
    order_work its = {.pair = work->pair,
                      .bits = {.words = 1 + ((size_t)n + 63) / 64},
                      .images = vb_array((size_t)n, sizeof *its.images, "images of the vocabularies", err)};
    const rows_of_bits *bits = &its.bits;
    vb_blocks blocks = {0};
    int status = its.images ? collect_outcomes(&its, work->context, err) : -1;
    status = vb_context_barrier(work->context, status, err);
    if (!status) status = vb_comm_sum_to_root(comm, its.images, (size_t)n, err);
    if (!status) status = vb_comm_gather(comm, bits->rows, bits->count * bits->words * sizeof *bits->rows, &blocks, err);
    if (!status && !comm->rank) status = find_envelopes(work, &blocks, bits->words, its.images, err);
    vb_comm_blocks_free(&blocks);
    vb_free(its.bits.rows);
    vb_free(its.images);
    return vb_comm_agree(comm, status, err);
}

/* What judging takes, and a row for every image: rank 0 holds those of all ranks, vocabularies / 8 bytes each. */
static int64_t order_bytes(const vb_pair_shape *s) {
    return vb_similarity_judge_bytes(s->classes, VB_UNIT_SAMPLES) + s->images * 8 * (s->vocabularies / 64 + 2);
}

const vb_analysis vb_analysis_order = {.check = check_order,
                                       .run = run_order,
                                       .bytes = order_bytes,
                                       .section = &vb_curves_section};
