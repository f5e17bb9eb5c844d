/* Which vocabularies beat each right image, gathered; then the envelope of every target. */
#include "mpi/analyse/order.h"

#include <string.h>

#include "kernels/openness/envelope.h"
#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"

/* A row: the vocabulary, then the bits of those that beat the image. */
typedef struct rows_of_bits {
    uint64_t *rows;
    size_t count, capacity, words; /* words of a row, the first one included */
} rows_of_bits;

static int add_unit(rows_of_bits *bits, const vb_pair *pair, const vb_text_bank *bank, const vb_memberships *homes, int64_t unit,
                    int64_t *images, vb_error *err) {
    size_t vocabularies = (size_t)pair->data->space.vocabularies;
    vb_unit_rows rows = {0};
    uint8_t *beaten = NULL;
    int status = vb_image_source_unit(pair->source, unit, &rows, err);
    if (status || !rows.count) goto done;
    status = -1;
    if (!(beaten = vb_array((size_t)rows.count * vocabularies, 1, "outcome of a unit", err))) goto done;
    if (vb_similarity_judge(bank, &pair->data->space, rows.rows, rows.count, rows.classes, beaten, NULL, pair->threads, err))
        goto done;
    for (int i = 0; i < rows.count; i++) {
        const uint8_t *by = beaten + (size_t)i * vocabularies;
        for (int h = homes->offsets[rows.classes[i]]; h < homes->offsets[rows.classes[i] + 1]; h++) {
            int home = homes->vocabularies[h];
            images[home]++;
            if (by[home]) continue;
            if (vb_grow((void **)&bits->rows, &bits->capacity, (bits->count + 1) * bits->words, sizeof *bits->rows,
                        "right images", err))
                goto done;
            uint64_t *row = bits->rows + bits->count++ * bits->words;
            row[0] = (uint64_t)home;
            for (size_t u = 0; u < vocabularies; u++) row[1 + u / 64] |= (uint64_t)by[u] << u % 64;
        }
    }
    status = 0;
done:
    vb_free(beaten);
    vb_image_source_rows_free(&rows);
    return status;
}

static int collect(rows_of_bits *bits, vb_context *context, const vb_pair *pair, int64_t *images, vb_error *err) {
    vb_text_bank *bank = NULL;
    vb_memberships homes = {0};
    int status = vb_similarity_bank_new(&bank, pair->classifier->texts, pair->classifier->classes, pair->classifier->dim,
                                        pair->spec->similarity ? VB_DOT : VB_COSINE, err);
    if (!status) status = vb_label_space_memberships_new(&homes, &pair->data->space, err);
    for (int64_t u = context->comm.rank; !status && u < pair->source->units; u += context->comm.size) {
        if ((status = vb_context_check_stop(context, err))) break;
        status = add_unit(bits, pair, bank, &homes, u, images, err);
    }
    vb_label_space_memberships_free(&homes);
    vb_similarity_bank_free(bank);
    return status;
}

/* The masks of one vocabulary's images from all blocks, into `out`; their number. */
static int64_t select_rows(void **blocks, const size_t *sizes, int ranks, size_t words, int vocabulary, uint64_t *out) {
    int64_t n = 0;
    for (int r = 0; r < ranks; r++) {
        const uint64_t *row = blocks[r], *end = row + sizes[r] / sizeof *row;
        for (; row < end; row += words)
            if (row[0] == (uint64_t)vocabulary) memcpy(out + (size_t)n++ * (words - 1), row + 1, (words - 1) * sizeof *out);
    }
    return n;
}

static json_t *shares(const int64_t *counts, int n, int64_t images, double *sums) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        double share = (double)counts[i] / (double)images;
        sums[i] += share;
        json_array_append_new(list, json_real(share));
    }
    return list;
}

static json_t *means(const double *sums, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(list, json_real(sums[i] / n));
    return list;
}

/* Rank 0. */
static int find_envelopes(const vb_pair *pair, void **blocks, const size_t *sizes, int ranks, size_t words, const int64_t *images,
                          json_t *order, vb_error *err) {
    static const char *const keys[] = {"worst", "best", "worst_bound", "best_bound"};
    int n = pair->data->space.vocabularies, status = -1;
    size_t total = 0, entries = (size_t)n;
    for (int r = 0; r < ranks; r++) total += sizes[r] / sizeof(uint64_t) / words;
    uint64_t *masks = vb_array(total * (words - 1), sizeof *masks, "right images", err);
    int64_t *counts = vb_array(4 * entries, sizeof *counts, "envelope", err);
    double *sums = vb_array(4 * entries, sizeof *sums, "envelope", err);
    json_t *list = json_array();
    bool exact = true;
    if (!masks || !counts || !sums || !list) goto done;
    vb_envelope envelope = {counts, counts + n, counts + 2 * n, counts + 3 * n};
    for (int v = 0; v < n; v++) {
        int64_t right = select_rows(blocks, sizes, ranks, words, v, masks);
        if (vb_envelope_of_orders(&envelope, masks, right, n, v, err)) goto done;
        json_t *entry = json_pack("{s:s}", "name", pair->data->vocabularies.names[v]);
        for (int k = 0; k < 4; k++) json_object_set_new(entry, keys[k], shares(counts + k * n, n, images[v], sums + k * n));
        exact = exact && !memcmp(envelope.worst, envelope.least, entries * sizeof *counts) &&
                !memcmp(envelope.best, envelope.most, entries * sizeof *counts);
        json_array_append_new(list, entry);
    }
    json_object_set_new(order, "exact", json_boolean(exact));
    for (int k = 0; k < 4; k++) json_object_set_new(order, keys[k], means(sums + k * n, n));
    json_object_set(order, "vocabularies", list);
    status = 0;
done:
    json_decref(list);
    vb_free(masks);
    vb_free(counts);
    vb_free(sums);
    return status;
}

int vb_order(vb_context *context, const vb_pair *pair, json_t **order, vb_error *err) {
    vb_comm *comm = &context->comm;
    int n = pair->data->space.vocabularies;
    rows_of_bits bits = {.words = 1 + ((size_t)n + 63) / 64};
    int64_t *images = vb_array((size_t)n, sizeof *images, "images of the vocabularies", err);
    void **blocks = NULL;
    size_t *sizes = NULL;
    int status = images ? 0 : -1;
    *order = comm->rank ? NULL : json_object();
    if (!status && !comm->rank && !*order) status = vb_errorf(err, VB_EMEMORY, "no memory for the orders");
    if (!status) status = collect(&bits, context, pair, images, err);
    status = vb_context_barrier(context, status, err);
    if (!status) status = vb_comm_sum_to_root(comm, images, (size_t)n, err);
    if (!status) status = vb_comm_gather(comm, bits.rows, bits.count * bits.words * sizeof *bits.rows, &blocks, &sizes, err);
    if (!status && !comm->rank) status = find_envelopes(pair, blocks, sizes, comm->size, bits.words, images, *order, err);
    for (int r = 0; blocks && r < comm->size; r++) vb_free(blocks[r]);
    vb_free(blocks);
    vb_free(sizes);
    vb_free(bits.rows);
    vb_free(images);
    return vb_comm_agree(comm, status, err);
}
