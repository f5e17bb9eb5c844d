/* The pass over the images, and its reduction. */
#include "mpi/analyse/image_pass.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/similarity.h"
#include "mpi/evaluate/unit_pass.h"

void vb_image_pass_free(vb_image_pass *pass) {
    vb_free(pass->centroid);
    vb_free(pass->margins);
    *pass = (vb_image_pass){0};
}

int64_t vb_image_pass_bytes(const vb_pair_shape *s) {
    return s->classes * (s->dim * 4 + 8) + (int64_t)s->threads * 64 * 8 * s->classes + 16 * s->images;
}

/* While the units are visited. */
typedef struct pass_work {
    vb_image_pass *pass;
    const vb_pair *pair;
    vb_feature_block texts;
    const vb_class_sets *sets; /* NULL: images have one class each */
    vb_text_bank *bank;        /* with sets */
} pass_work;

/* Where labels are sets, the class of each row is the first-ranked of its right ones. */
static int choose_classes(pass_work *its, const vb_unit_rows *rows, int *labels, vb_class_set *sets, vb_error *err) {
    int largest = 0, status = 0;
    for (int i = 0; i < rows->count; i++) {
        sets[i] = vb_class_sets_at(its->sets, rows->places[i]);
        if (sets[i].count > largest) largest = sets[i].count;
    }
    int *ranked = vb_array((size_t)largest, sizeof *ranked, "classes of a unit", err);
    if (!ranked) return -1;
    for (int i = 0; i < rows->count && !status; i++) {
        memcpy(ranked, sets[i].classes, (size_t)sets[i].count * sizeof *ranked);
        status = vb_similarity_rank(its->bank, rows->rows + (size_t)i * (size_t)rows->dim, i, ranked, sets[i].count, err);
        labels[i] = ranked[0];
    }
    vb_free(ranked);
    return status;
}

static int add_rows(pass_work *its, const vb_unit_rows *rows, double *margins, vb_error *err) {
    const int threads = its->pair->threads;
    vb_similarity_sums *sums = &its->pass->sums;
    if (!its->sets)
        return vb_features_similarity_add(sums, &its->texts, rows->rows, rows->count, rows->classes, margins, threads, err);
    int *labels = vb_array((size_t)rows->count, sizeof *labels, "classes of a unit", err);
    vb_class_set *sets = vb_array((size_t)rows->count, sizeof *sets, "classes of a unit", err);
    int status = labels && sets ? choose_classes(its, rows, labels, sets, err) : -1;
    its->texts.sets = sets;
    if (!status) status = vb_features_similarity_add(sums, &its->texts, rows->rows, rows->count, labels, margins, threads, err);
    its->texts.sets = NULL;
    vb_free(labels);
    vb_free(sets);
    return status;
}

static int add_similarities(void *work, int64_t unit, const vb_unit_rows *rows, vb_error *err) {
    (void)unit;
    pass_work *its = work;
    vb_image_pass *pass = its->pass;
    if (!rows->count) return 0;
    size_t filled = (size_t)pass->margin_count;
    if (vb_grow((void **)&pass->margins, &pass->margin_capacity, filled + (size_t)rows->count, sizeof *pass->margins, "margins",
                err))
        return -1;
    if (add_rows(its, rows, pass->margins + filled, err)) return -1;
    for (int i = 0; i < rows->count; i++) {
        double margin = pass->margins[filled + (size_t)i];
        if (!isnan(margin)) pass->margins[pass->margin_count++] = margin;
    }
    if (!pass->centroid) return 0;
    double *inverse = vb_array((size_t)rows->count, sizeof *inverse, "norms of images", err);
    int status = inverse ? vb_features_inverse_norms(rows->rows, rows->count, rows->dim, inverse, err) : -1;
    if (!status) vb_features_centroid_add(pass->centroid, rows->rows, inverse, rows->count, rows->dim);
    vb_free(inverse);
    return status;
}

/* All images' margins, sorted, on rank 0. */
static int gather_margins(vb_comm *comm, vb_image_pass *pass, vb_error *err) {
    vb_blocks blocks;
    if (vb_comm_gather(comm, pass->margins, (size_t)pass->margin_count * sizeof *pass->margins, &blocks, err)) return -1;
    int status = 0;
    if (!comm->rank) {
        size_t size;
        double *all = vb_comm_blocks_join(&blocks, "margins", &size, err);
        vb_free(pass->margins);
        pass->margins = all;
        pass->margin_count = all ? (int64_t)(size / sizeof *all) : 0;
        if (all) vb_features_sort_doubles(all, pass->margin_count);
        else status = -1;
    }
    vb_comm_blocks_free(&blocks);
    return vb_comm_agree(comm, status, err);
}

/* All ranks' sums, on rank 0. */
static int reduce_sums(vb_image_pass *pass, vb_comm *comm, int dim, vb_error *err) {
    vb_fixed_sum *const sums[] = {&pass->sums.positive, &pass->sums.negative, &pass->sums.margin, &pass->sums.alignment};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) vb_fixed_sum_settle(sums[i]);
    if (vb_comm_sum_to_root(comm, (int64_t *)&pass->sums, VB_SIMILARITY_COUNTERS, err)) return -1;
    if (!pass->centroid) return 0;
    for (int k = 0; k < dim; k++) vb_fixed_sum_settle(&pass->centroid[k]);
    return vb_comm_sum_to_root(comm, (int64_t *)pass->centroid, (size_t)dim * VB_FIXED_COUNTERS, err);
}

int vb_image_pass_run(vb_image_pass *pass, vb_context *context, const vb_pair *pair, unsigned needs, vb_error *err) {
    const vb_classifier *classifier = pair->classifier;
    pass_work work = {.pass = pass, .pair = pair, .sets = vb_image_source_sets(pair->source)};
    int status = 0;
    if (work.sets)
        status = vb_similarity_bank_new(&work.bank, classifier->texts, classifier->classes, classifier->dim,
                                        pair->spec->similarity, err);
    if (needs & VB_IMAGE_PASS_CENTROID) {
        pass->centroid = vb_array((size_t)pair->source->dim, sizeof *pass->centroid, "centroid", err);
        if (!pass->centroid) status = -1;
    }
    if (!status) status = vb_features_block_new(&work.texts, classifier->texts, classifier->classes, classifier->dim, err);
    work.texts.similarity = pair->spec->similarity;
    work.texts.equivalence = pair->data->space.equivalence;
    if (!status) status = vb_unit_pass(context, pair->source, add_similarities, &work, err);
    vb_features_block_free(&work.texts);
    vb_similarity_bank_free(work.bank);
    if (vb_context_barrier(context, status, err)) return -1;
    if (reduce_sums(pass, &context->comm, pair->source->dim, err)) return -1;
    return needs & VB_IMAGE_PASS_MARGINS ? gather_margins(&context->comm, pass, err) : 0;
}
