/* The analyses of a pair: one more pass over its image embeddings, exact sums over the ranks, JSON. */
#include "mpi/analyse/analyses.h"

#include <math.h>
#include <string.h>

#include "kernels/openness/features.h"
#include "kernels/base/memory.h"
#include "mpi/analyse/order.h"
#include "mpi/analyse/spectrum_stage.h"
#include "shards/text/did_you_mean.h"

static const char *const names[] = {"margin", "similarity", "alignment", "uniformity", "spectrum", "order", NULL};

static const double levels[] = {0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};
enum { LEVELS = sizeof levels / sizeof *levels };

int vb_analyses_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err) {
    const vb_yaml *list = vb_yaml_get(root, "analyses");
    if (vb_yaml_is_null(list)) return 0;
    if (list->kind != VB_YAML_LIST || !list->count)
        return vb_yaml_errorf(list, experiment->path, err,
                              "analyses: expected a list of margin, similarity, alignment, uniformity, spectrum, order");
    for (size_t i = 0; i < list->count; i++) {
        const char *text;
        int a = 0;
        if (vb_yaml_text(list->items[i], experiment->path, &text, err)) return -1;
        while (names[a] && strcmp(names[a], text)) a++;
        if (!names[a]) {
            const char *near = vb_did_you_mean(text, names);
            return vb_yaml_errorf(
                list->items[i], experiment->path, err,
                "analyses: expected margin, similarity, alignment, uniformity, spectrum or order, found '%s'%s%s%s", text,
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        if (experiment->analyses & 1 << a)
            return vb_yaml_errorf(list->items[i], experiment->path, err, "analyses: '%s' is listed twice", text);
        experiment->analyses |= 1 << a;
    }
    json_t *chosen = json_array();
    for (int a = 0; names[a]; a++)
        if (experiment->analyses & 1 << a) json_array_append_new(chosen, json_string(names[a]));
    if (json_object_set_new(experiment->configuration, "analyses", chosen))
        return vb_errorf(err, VB_EMEMORY, "no memory for the configuration");
    return 0;
}

/* One rank's sums of the pass over its units; on rank 0, after the reduction, everyone's. */
typedef struct image_pass {
    vb_similarity_sums sums;
    vb_fixed_sum *centroid; /* dim sums, of the images' unit vectors */
    double *margins;        /* of this rank's images that have one */
    int64_t margin_count;
    size_t margin_capacity;
} image_pass;

static void image_pass_free(image_pass *pass) {
    vb_free(pass->centroid);
    vb_free(pass->margins);
}

static int pass_unit(image_pass *pass, const vb_pair *pair, const vb_feature_block *texts, int64_t unit, vb_error *err) {
    vb_unit_rows rows = {0};
    double *inverse = NULL;
    int status = vb_image_source_unit(pair->source, unit, &rows, err);
    if (status || !rows.count) goto done;
    size_t filled = (size_t)pass->margin_count;
    status = -1;
    if (vb_grow((void **)&pass->margins, &pass->margin_capacity, filled + (size_t)rows.count, sizeof *pass->margins, "margins",
                err))
        goto done;
    if (!(inverse = vb_array((size_t)rows.count, sizeof *inverse, "norms of images", err))) goto done;
    if (vb_features_similarity_add(&pass->sums, texts, pair->spec->similarity ? VB_DOT : VB_COSINE, rows.rows, rows.count,
                                   rows.classes, pass->margins + filled, pair->threads, err))
        goto done;
    for (int i = 0; i < rows.count; i++) {
        double margin = pass->margins[filled + (size_t)i];
        if (!isnan(margin)) pass->margins[pass->margin_count++] = margin;
    }
    if (pass->centroid) {
        if (vb_features_inverse_norms(rows.rows, rows.count, rows.dim, inverse, err)) goto done;
        vb_features_centroid_add(pass->centroid, rows.rows, inverse, rows.count, rows.dim);
    }
    status = 0;
done:
    vb_free(inverse);
    vb_image_source_rows_free(&rows);
    return status;
}

/* All images' margins, sorted, on rank 0. */
static int gather_margins(vb_comm *comm, image_pass *pass, vb_error *err) {
    void **blocks = NULL;
    size_t *sizes = NULL, filled = 0, total = 0;
    if (vb_comm_gather(comm, pass->margins, (size_t)pass->margin_count * sizeof *pass->margins, &blocks, &sizes, err)) return -1;
    int status = 0;
    if (!comm->rank) {
        for (int r = 0; r < comm->size; r++) total += sizes[r];
        double *all = vb_buffer(total, 1, "margins", err);
        if (!all) status = -1;
        for (int r = 0; r < comm->size; r++) {
            if (all) memcpy((char *)all + filled, blocks[r], sizes[r]);
            filled += sizes[r];
            vb_free(blocks[r]);
        }
        vb_free(pass->margins);
        pass->margins = all;
        pass->margin_count = (int64_t)(total / sizeof *all);
        if (all) vb_features_sort_doubles(all, pass->margin_count);
    }
    vb_free(blocks);
    vb_free(sizes);
    return vb_comm_agree(comm, status, err);
}

static int run_pass(image_pass *pass, vb_context *context, const vb_pair *pair, int what, vb_error *err) {
    vb_comm *comm = &context->comm;
    vb_feature_block texts = {0};
    int status = 0;
    if (what & VB_ALIGNMENT) {
        pass->centroid = vb_array((size_t)pair->source->dim, sizeof *pass->centroid, "centroid", err);
        if (!pass->centroid) status = -1;
    }
    if (!status)
        status = vb_features_block_new(&texts, pair->classifier->texts, pair->classifier->classes, pair->classifier->dim, err);
    texts.kin = pair->data->space.kin;
    for (int64_t u = comm->rank; !status && u < pair->source->units; u += comm->size) {
        if ((status = vb_context_check_stop(context, err))) break;
        status = pass_unit(pass, pair, &texts, u, err);
    }
    vb_features_block_free(&texts);
    if (vb_context_barrier(context, status, err)) return -1;
    vb_fixed_sum *const sums[] = {&pass->sums.positive, &pass->sums.negative, &pass->sums.margin, &pass->sums.alignment};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) vb_fixed_sum_settle(sums[i]);
    if (vb_comm_sum_to_root(comm, (int64_t *)&pass->sums, VB_SIMILARITY_COUNTERS, err)) return -1;
    if (pass->centroid) {
        for (int k = 0; k < pair->source->dim; k++) vb_fixed_sum_settle(&pass->centroid[k]);
        if (vb_comm_sum_to_root(comm, (int64_t *)pass->centroid, (size_t)pair->source->dim * VB_FIXED_COUNTERS, err)) return -1;
    }
    return what & VB_MARGIN ? gather_margins(comm, pass, err) : 0;
}

/* ---- JSON ---- */

static json_t *real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *mean(const vb_fixed_sum *sum, int64_t count) {
    return count ? real(vb_fixed_sum_value(sum) / (double)count) : json_null();
}

static json_t *bins(const int64_t *counts) {
    json_t *list = json_array();
    for (int b = 0; b < VB_HISTOGRAM_BINS; b++) json_array_append_new(list, json_integer(counts[b]));
    return list;
}

static json_t *quantiles(const image_pass *pass) {
    json_t *object = json_object();
    for (int i = 0; i < LEVELS; i++) {
        char key[16];
        snprintf(key, sizeof key, "%g", levels[i]);
        json_object_set_new(object, key, real(vb_features_quantile(pass->margins, pass->margin_count, levels[i])));
    }
    return object;
}

/* |mean of the images' unit vectors - mean of the texts'| */
static int modality_gap(const image_pass *pass, const vb_classifier *classifier, double *gap, vb_error *err) {
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

/* On rank 0. */
static int put_pass(json_t *to, const image_pass *pass, const vb_pair *pair, int what, vb_error *err) {
    const vb_similarity_sums *sums = &pass->sums;
    json_t *histograms = json_pack("{s:i, s:i, s:i}", "low", -1, "high", 1, "bins", VB_HISTOGRAM_BINS);
    if (what & VB_MARGIN) {
        bool some = pass->margin_count > 0;
        json_object_set_new(to, "margin_median",
                            some ? real(vb_features_median(pass->margins, pass->margin_count)) : json_null());
        json_object_set_new(to, "margin_mean", mean(&sums->margin, sums->margins));
        json_object_set_new(to, "margin_quantiles", some ? quantiles(pass) : json_null());
        json_object_set_new(histograms, "margin", bins(sums->margin_bins));
    }
    if (what & VB_SIMILARITIES) {
        json_object_set_new(to, "positive_mean", mean(&sums->positive, sums->images));
        json_object_set_new(to, "negative_mean", mean(&sums->negative, sums->negatives));
        json_object_set_new(to, "overlap",
                            real(vb_features_overlap(sums->positive_bins, sums->negative_bins, VB_HISTOGRAM_BINS)));
        json_object_set_new(histograms, "positive", bins(sums->positive_bins));
        json_object_set_new(histograms, "negative", bins(sums->negative_bins));
    }
    if (what & VB_ALIGNMENT) {
        double gap;
        if (modality_gap(pass, pair->classifier, &gap, err)) {
            json_decref(histograms);
            return -1;
        }
        json_object_set_new(to, "alignment", mean(&sums->alignment, sums->images));
        json_object_set_new(to, "modality_gap", real(gap));
    }
    if (what & (VB_MARGIN | VB_SIMILARITIES)) json_object_set_new(to, "histograms", histograms);
    else json_decref(histograms);
    return 0;
}

int vb_analyses(vb_context *context, const vb_pair *pair, int what, json_t *result, vb_error *err) {
    vb_comm *comm = &context->comm;
    int status = 0;
    bool images_too = !(what & VB_TEXTS_ONLY);
    json_t *figures = json_object();
    image_pass pass = {.centroid = NULL};
    if (!figures) status = vb_errorf(err, VB_EMEMORY, "no memory for the analyses");
    status = vb_comm_agree(comm, status, err);
    if (!status && what & (VB_MARGIN | VB_SIMILARITIES | VB_ALIGNMENT)) {
        status = run_pass(&pass, context, pair, what, err);
        if (!status && !comm->rank) status = put_pass(figures, &pass, pair, what, err);
        status = vb_comm_agree(comm, status, err);
    }
    if (!status && what & VB_UNIFORMITY) {
        double texts = NAN, images = NAN;
        int64_t count = 0;
        status = vb_uniformity_texts(context, pair, &texts, err);
        if (!status && images_too) status = vb_uniformity_images(context, pair, &images, &count, err);
        json_object_set_new(figures, "uniformity_text", real(texts));
        if (images_too) json_object_set_new(figures, "uniformity_image", real(images));
        json_object_set_new(figures, "uniformity_text_n", json_integer(pair->classifier->classes));
        if (images_too) json_object_set_new(figures, "uniformity_image_n", json_integer(count));
    }
    if (!status && what & VB_SPECTRUM) {
        json_t *spectrum;
        status = vb_spectrum_stage(context, pair, images_too, &spectrum, err);
        if (spectrum) json_object_set_new(figures, "spectrum", spectrum);
    }
    if (!status && what & VB_ORDER) {
        json_t *order;
        status = vb_order(context, pair, &order, err);
        if (order) json_object_set_new(figures, "order", order);
    }
    if (status) vb_error_prefix(err, "analyses of '%s' on '%s'", pair->spec->name, pair->data->spec->name);
    else if (!comm->rank && json_object_set(result, "analyses", figures))
        status = vb_errorf(err, VB_EMEMORY, "no memory for the analyses");
    json_decref(figures);
    image_pass_free(&pass);
    return vb_comm_agree(comm, status, err);
}
