/* Similarity statistics, Gaussian sums over pairs, centroids and order statistics. */
#include "kernels/openness/features.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/matrix/dots.h"
#include "kernels/openness/label_space.h"

enum { SLICE = 64 }; /* rows that a thread takes at once: eight tiles of products, and their scores of all classes fit memory */

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

int vb_features_histogram_bin(double value) {
    const int half = VB_HISTOGRAM_BINS / 2;
    if (!(value >= -1)) return 0;
    if (value >= 1) return VB_HISTOGRAM_BINS - 1;
    int bin = (int)floor((value + 1) * half);
    if (bin >= VB_HISTOGRAM_BINS) bin = VB_HISTOGRAM_BINS - 1;
    /* The sum above is rounded: the edges decide. */
    if (value < (double)(bin - half) / half) bin--;
    else if (bin + 1 < VB_HISTOGRAM_BINS && value >= (double)(bin + 1 - half) / half) bin++;
    return bin;
}

/* A cosine of 1 may come out a few 1e-16 above. */
static bool is_beyond(double value) { return fabs(value) > 1 + 1e-12; }

int vb_features_inverse_norms(const float *rows, int64_t count, int dim, double *inverse, vb_error *err) {
    for (int64_t i = 0; i < count; i++) {
        double square = 0;
        for (int k = 0; k < dim; k++) square += (double)rows[i * dim + k] * rows[i * dim + k];
        if (!(square > 0) || isinf(square))
            return vb_errorf(err, VB_EDATA, "embedding, row %lld: %s", (long long)i,
                             square == 0 ? "all elements are zero, it has no direction" : "an element is not finite");
        inverse[i] = 1 / sqrt(square);
    }
    return 0;
}

int vb_features_block_new(vb_feature_block *block, const float *rows, int64_t count, int dim, vb_error *err) {
    *block = (vb_feature_block){.count = count, .dim = dim};
    block->packed = vb_buffer((size_t)vb_dots_cols(count) * (size_t)dim, sizeof *block->packed, "block of embeddings", err);
    if (!block->packed) return -1;
    block->inverse = vb_array((size_t)count, sizeof *block->inverse, "norms of embeddings", err);
    if (!block->inverse || vb_features_inverse_norms(rows, count, dim, block->inverse, err)) {
        vb_features_block_free(block);
        return -1;
    }
    vb_dots_pack(count, rows, dim, block->packed);
    return 0;
}

void vb_features_block_free(vb_feature_block *block) {
    vb_free(block->packed);
    vb_free(block->inverse);
    *block = (vb_feature_block){0};
}

/* An image, and its products with all texts. */
typedef struct image_dots {
    const double *dots;
    double inverse; /* of its norm */
    int label;
    const vb_class_set *set; /* or NULL */
} image_dots;

static void add_similarities(vb_similarity_sums *sums, const vb_feature_block *texts, const image_dots *image, double *margin) {
    const double *dots = image->dots, inverse = image->inverse;
    const int label = image->label;
    double negative = 0, best = -INFINITY, positive = 0;
    int64_t negatives = 0;
    for (int64_t c = 0; c < texts->count; c++) {
        double s = dots[c] * inverse;
        if (texts->similarity == VB_COSINE) s *= texts->inverse[c];
        if (c == label) {
            positive = s;
            continue;
        }
        if (vb_label_space_same(texts->equivalence, (int)c, label)) continue;
        if (image->set && vb_label_space_holds(image->set, (int)c)) continue;
        negatives++;
        negative += s;
        if (s > best) best = s;
        sums->negative_bins[vb_features_histogram_bin(s)]++;
        sums->negative_beyond += is_beyond(s);
    }
    vb_fixed_sum_add(&sums->positive, positive);
    vb_fixed_sum_add(&sums->negative, negative);
    vb_fixed_sum_add(&sums->alignment, 2 - 2 * (dots[label] * inverse * texts->inverse[label]));
    sums->positive_bins[vb_features_histogram_bin(positive)]++;
    sums->positive_beyond += is_beyond(positive);
    sums->images++;
    sums->negatives += negatives;
    *margin = NAN;
    if (!negatives) return;
    *margin = positive - best + 0.0; /* never -0 */
    vb_fixed_sum_add(&sums->margin, *margin);
    sums->margin_bins[vb_features_histogram_bin(*margin)]++;
    sums->margin_beyond += is_beyond(*margin);
    sums->margins++;
}

static void join_sums(vb_similarity_sums *to, const vb_similarity_sums *from) {
    vb_fixed_sum_join(&to->positive, &from->positive);
    vb_fixed_sum_join(&to->negative, &from->negative);
    vb_fixed_sum_join(&to->margin, &from->margin);
    vb_fixed_sum_join(&to->alignment, &from->alignment);
    to->images += from->images;
    to->negatives += from->negatives;
    to->margins += from->margins;
    to->positive_beyond += from->positive_beyond;
    to->negative_beyond += from->negative_beyond;
    to->margin_beyond += from->margin_beyond;
    for (int b = 0; b < VB_HISTOGRAM_BINS; b++) {
        to->positive_bins[b] += from->positive_bins[b];
        to->negative_bins[b] += from->negative_bins[b];
        to->margin_bins[b] += from->margin_bins[b];
    }
}

/* A team that shares slices of rows: never more threads than slices. */
static int team_for(int64_t rows, int threads) {
    int64_t slices = (rows + SLICE - 1) / SLICE;
    return threads < 1 || slices < 1 ? 1 : (int)smaller(threads, slices);
}

int vb_features_similarity_add(vb_similarity_sums *sums, const vb_feature_block *texts, const float *images, int64_t count,
                               const int *labels, double *margins, int threads, vb_error *err) {
    assert(count >= 0 && threads >= 1);
    int team = team_for(count, threads), dim = texts->dim;
    int64_t ld = vb_dots_cols(texts->count);
    for (int64_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= texts->count)
            return vb_errorf(err, VB_EMISMATCH, "image row %lld: label %d, expected 0 to %lld", (long long)i, labels[i],
                             (long long)texts->count - 1);
    double *dots = vb_buffer((size_t)team * SLICE * (size_t)ld, sizeof *dots, "similarities", err);
    double *inverse = vb_array((size_t)count, sizeof *inverse, "norms of images", err);
    vb_similarity_sums *parts = vb_array((size_t)team, sizeof *parts, "sums of similarities", err);
    int status = dots && inverse && parts ? vb_features_inverse_norms(images, count, dim, inverse, err) : -1;
    if (!status) {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
        for (int64_t first = 0; first < count; first += SLICE) {
            int thread = omp_get_thread_num();
            double *block = dots + (size_t)thread * SLICE * (size_t)ld;
            int64_t n = smaller(SLICE, count - first);
            vb_dots(n, images + first * dim, texts->count, texts->packed, dim, block, ld);
            for (int64_t i = 0; i < n; i++)
                add_similarities(&parts[thread], texts,
                                 &(image_dots){block + i * ld, inverse[first + i], labels[first + i],
                                               texts->sets ? &texts->sets[first + i] : NULL},
                                 &margins[first + i]);
        }
        for (int t = 0; t < team; t++) join_sums(sums, &parts[t]);
    }
    vb_free(dots);
    vb_free(inverse);
    vb_free(parts);
    return status;
}

int vb_features_gauss_add(vb_gauss_sum *total, const float *a, const double *a_inverse, int64_t count, const vb_feature_block *b,
                          bool triangle, int threads, vb_error *err) {
    assert(count >= 0 && threads >= 1 && (!triangle || count == b->count));
    int team = team_for(count, threads);
    int64_t ld = vb_dots_cols(b->count);
    double *dots = vb_buffer((size_t)team * SLICE * (size_t)ld, sizeof *dots, "products of embeddings", err);
    double *rows = vb_array((size_t)count, sizeof *rows, "sums of rows", err);
    int status = dots && rows ? 0 : -1;
    if (!status) {
#pragma omp parallel for num_threads(team) schedule(dynamic, 1) if (team > 1)
        for (int64_t first = 0; first < count; first += SLICE) {
            double *block = dots + (size_t)omp_get_thread_num() * SLICE * (size_t)ld;
            int64_t n = smaller(SLICE, count - first);
            vb_dots(n, a + first * b->dim, b->count, b->packed, b->dim, block, ld);
            for (int64_t i = 0; i < n; i++) {
                int64_t from = triangle ? first + i + 1 : 0;
                if (from < b->count)
                    rows[first + i] =
                        vb_dots_gauss_sum(b->count - from, block + i * ld + from, b->inverse + from, a_inverse[first + i]);
            }
        }
        for (int64_t i = 0; i < count; i++) vb_fixed_sum_add(&total->sum, rows[i]);
        total->pairs += triangle ? count * (count - 1) / 2 : count * b->count;
    }
    vb_free(dots);
    vb_free(rows);
    return status;
}

void vb_features_centroid_add(vb_fixed_sum *sums, const float *rows, const double *inverse, int64_t count, int dim) {
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < dim; k++) vb_fixed_sum_add(&sums[k], (double)rows[i * dim + k] * inverse[i]);
}

double vb_features_overlap(const int64_t *a, const int64_t *b, int bins) {
    int64_t a_total = 0, b_total = 0;
    double share = 0;
    for (int i = 0; i < bins; i++) {
        a_total += a[i];
        b_total += b[i];
    }
    if (!a_total || !b_total) return NAN;
    for (int i = 0; i < bins; i++) {
        double x = (double)a[i] / (double)a_total, y = (double)b[i] / (double)b_total;
        share += x < y ? x : y;
    }
    return share;
}

static int ascending_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void vb_features_sort_doubles(double *values, int64_t n) { qsort(values, (size_t)n, sizeof *values, ascending_doubles); }

double vb_features_quantile(const double *sorted, int64_t n, double q) {
    double at = q * (double)(n - 1), below = floor(at), t = at - below;
    int64_t i = (int64_t)below;
    if (i >= n - 1) return sorted[n - 1];
    double difference = sorted[i + 1] - sorted[i];
    return t < 0.5 ? sorted[i] + difference * t : sorted[i + 1] - difference * (1 - t);
}

double vb_features_median(const double *sorted, int64_t n) {
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double vb_features_effective_rank(const double *singular_values, int64_t n) {
    double sum = 0, entropy = 0;
    for (int64_t i = 0; i < n; i++) sum += singular_values[i];
    if (!(sum > 0)) return NAN;
    for (int64_t i = 0; i < n; i++) {
        double p = singular_values[i] / sum;
        if (p > 0) entropy -= p * log(p);
    }
    return exp(entropy);
}
