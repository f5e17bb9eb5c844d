/* The openness figures in closed form from the counts. */
#include "kernels/openness/openness.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/subsets.h"
#include "kernels/openness/tally_internal.h"

/* The counts of some images by b, N each. With sets of right classes (kernels/openness/tally_internal.h) also `kept` and
 * `rescued`, and what squares the former leave out; else NULL and 0. */
typedef struct counts_by_harm {
    int64_t images;
    const int64_t *harm, *kept, *rescued;
    int64_t squares_e, squares_s;
} counts_by_harm;

/* Scores by b: of an image until one of b others comes; of one that another vocabulary rescues. */
typedef struct score {
    double *until, *rescue;
} score;

/* Mean and its standard error of the scores of all images; those without one have 0. extra_squares: of sets. */
static double mean_score(const counts_by_harm *its, const score *by, int count, int64_t extra_squares, double *standard_error) {
    const int64_t *harm = its->harm, n = its->images;
    double sum = 0, squares = 0, extra = 0;
    int64_t rest = n;
    for (int b = 0; b < count; b++) sum += (double)harm[b] * by->until[b];
    for (int b = 0; its->kept && b < count; b++)
        extra += (double)its->kept[b] * by->until[b] + (double)its->rescued[b] * by->rescue[b];
    double mean = (sum + extra) / (double)n;
    if (its->kept && mean > 1) mean = 1; /* by rounding */
    if (!standard_error) return mean;
    for (int b = 0; b < count; b++) {
        squares += (double)harm[b] * (by->until[b] - mean) * (by->until[b] - mean);
        rest -= harm[b];
    }
    squares += (double)rest * mean * mean;
    if (its->kept) squares += ldexp((double)extra_squares, -VB_SET_SQUARE_BITS) - 2 * mean * extra;
    if (its->kept && squares < vb_tally_squares_rounding(n)) squares = 0;
    *standard_error = n < 2 ? NAN : sqrt(squares / (double)(n - 1) / (double)n);
    return mean;
}

/* N each, of one block. */
typedef struct scores {
    score own, share, stable; /* stable: NaN when N is 1 */
    score weight;             /* scratch for the curve */
} scores;

static int scores_new(scores *its, int n, vb_error *err) {
    int m = n - 1;
    score *const all[] = {&its->own, &its->share, &its->stable, &its->weight};
    double *block = vb_array(8 * (size_t)n, sizeof *block, "openness figures", err);
    if (!block) return -1;
    for (int i = 0; i < 4; i++) *all[i] = (score){block + 2 * i * n, block + (2 * i + 1) * n};
    for (int b = 0; b < n; b++) {
        its->own.until[b] = 1;
        its->own.rescue[b] = 0;
        its->share.until[b] = 1.0 / (b + 1);
        its->share.rescue[b] = 1.0 / ((b + 1.0) * (b + 2));
        its->stable.until[b] = m ? (double)(m - b) / ((double)m * (b + 1)) : NAN;
        its->stable.rescue[b] = m ? n / (m * (b + 1.0) * (b + 2)) : NAN;
    }
    return 0;
}

/* The curve's weights at i + 1 from those at i, from 0 on: C(m-b, i+1) / C(m, i+1) = C(m-b, i) / C(m, i) * (m-b-i) / (m-i), and 0
 * once it was 0; of rescued images C(m-1-b, i-1) / C(m, i), 0 at first. */
static void next_weights(const score *weight, int n, int i) {
    int m = n - 1;
    for (int b = 0; b < n && i < m; b++) {
        weight->until[b] *= (double)(m - b - i) / (m - i);
        if (!i) weight->rescue[b] = b < m ? 1.0 / m : 0;
        else weight->rescue[b] *= (double)(m - b - i) * (i + 1) / ((double)i * (m - i));
    }
}

static void vocabulary_figures(vb_vocabulary_openness *v, const counts_by_harm *counts, double *curve, int n, const scores *its) {
    for (int b = 0; b < n; b++) {
        its->weight.until[b] = 1;
        its->weight.rescue[b] = 0;
    }
    v->acc_c = mean_score(counts, &its->own, n, 0, &v->acc_c_se);
    v->acc_e = mean_score(counts, &its->share, n, counts->squares_e, &v->acc_e_se);
    v->acc_s = v->acc_s_se = NAN;
    if (n > 1) v->acc_s = mean_score(counts, &its->stable, n, counts->squares_s, &v->acc_s_se);
    for (int i = 0; i < n; i++) {
        curve[i] = mean_score(counts, &its->weight, n, 0, NULL);
        next_weights(&its->weight, n, i);
    }
    v->curve = curve;
}

/* The counts of one entry of the label space, of class c. */
static counts_by_harm entry_counts(const vb_tally *tally, int c, int entry) {
    size_t row = (size_t)entry * (size_t)tally->vocabularies;
    const vb_set_counts *sets = &tally->of_sets;
    counts_by_harm counts = {.images = vb_tally_entry_images(tally, c, entry), .harm = tally->harm + row};
    if (!tally->sets) return counts;
    counts.kept = sets->kept + row;
    counts.rescued = sets->rescued + row;
    counts.squares_e = sets->squares_e[entry];
    counts.squares_s = sets->squares_s[entry];
    return counts;
}

static void class_figures(vb_class_openness *class, const vb_tally *tally, int c, const scores *its) {
    int n = tally->vocabularies, first = tally->memberships.offsets[c];
    *class = (vb_class_openness){0, 0, NAN, NAN, NAN};
    if (first == tally->memberships.offsets[c + 1]) return;
    const counts_by_harm counts = entry_counts(tally, c, tally->memberships.slots[first]);
    if (!(class->images = counts.images)) return;
    for (int b = 0; b < n; b++) class->right += counts.harm[b];
    class->acc_c = mean_score(&counts, &its->own, n, 0, NULL);
    class->acc_e = mean_score(&counts, &its->share, n, 0, NULL);
    if (n > 1) class->acc_s = mean_score(&counts, &its->stable, n, 0, NULL);
}

/* Accuracy over the union of images, averaged over all prefixes of one order. `arrivals` holds N counts. */
static double order_mean(const vb_tally *tally, const vb_order_set *set, int o, int64_t *arrivals) {
    int n = tally->vocabularies;
    const int *place = set->place + (size_t)o * (size_t)n;
    const int64_t *changes = set->changes + (size_t)o * ((size_t)n + 1);
    memset(arrivals, 0, (size_t)n * sizeof *arrivals);
    for (int c = 0; c < tally->classes; c++) {
        const int *offsets = tally->memberships.offsets;
        if (!tally->images[c]) continue;
        arrivals[vb_tally_earliest(place, tally->memberships.vocabularies + offsets[c], offsets[c + 1] - offsets[c], n)] +=
            tally->images[c];
    }
    for (int p = 0; set->arrivals && p < n; p++) arrivals[p] += set->arrivals[(size_t)o * (size_t)n + (size_t)p];
    int64_t right = 0, images = 0;
    double sum = 0;
    for (int p = 0; p < n; p++) {
        right += changes[p];
        images += arrivals[p];
        sum += (double)right / (double)images;
    }
    return sum / n;
}

/* `counts` holds N integers. */
static void sampled_figures(vb_openness_result *result, const vb_tally *tally, int64_t *counts) {
    int n = tally->vocabularies, trials = tally->protocol.trials;
    result->sampled_e = result->sampled_s = 0;
    for (int t = 0; t < n; t++) {
        double sum = 0;
        for (int k = 0; k < trials; k++) sum += order_mean(tally, &tally->trials, t * trials + k, counts);
        result->vocabulary[t].sampled_e = sum / trials;
        result->vocabulary[t].sampled_s = 0;
        result->sampled_e += sum / trials;
    }
    result->sampled_e /= n;
    memset(counts, 0, (size_t)n * sizeof *counts); /* from here: classes of t that have images */
    for (int c = 0; c < tally->classes; c++)
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++) {
            int t = tally->memberships.vocabularies[h], entry = tally->memberships.slots[h];
            int64_t images = vb_tally_entry_images(tally, c, entry);
            if (!images) continue;
            counts[t]++;
            result->vocabulary[t].sampled_s += (double)tally->survived[entry] / (double)images;
        }
    for (int t = 0; t < n; t++) {
        vb_vocabulary_openness *v = &result->vocabulary[t];
        v->sampled_s = n > 1 ? v->sampled_s / (double)counts[t] / ((double)trials * (n - 1)) : NAN;
        result->sampled_s += v->sampled_s;
    }
    result->sampled_s /= n;
}

static bool closed_form_holds(const vb_openness_result *result, const vb_tally *tally) {
    for (int t = 1; t < result->vocabularies; t++)
        if (result->vocabulary[t].images != result->vocabulary[0].images) return false;
    if (tally->sets && *tally->of_sets.shared) return false;
    for (int c = 0; c < tally->classes; c++)
        if (tally->images[c] && tally->memberships.offsets[c + 1] - tally->memberships.offsets[c] > 1) return false;
    return true;
}

static int mean_over_subsets(double *mean, const vb_tally *tally, vb_error *err) {
    size_t sets = (size_t)1 << tally->vocabularies;
    int64_t *right = vb_array(sets, sizeof(int64_t), "sets of vocabularies", err);
    int64_t *count = right ? vb_array(sets, sizeof(int64_t), "sets of vocabularies", err) : NULL;
    int result = -1;
    if (!count) goto done;
    memcpy(right, tally->subsets, sets * sizeof *right);
    vb_tally_count_by_set(tally, count);
    result = vb_subsets_mean(mean, right, count, tally->vocabularies, err);
done:
    vb_free(right);
    vb_free(count);
    return result;
}

/* `counts` holds N integers. */
static int union_figures(vb_openness_result *result, const vb_tally *tally, int64_t *counts, vb_error *err) {
    if (closed_form_holds(result, tally)) {
        result->union_method = "closed form";
        result->acc_e_union = result->acc_e;
        return 0;
    }
    if (tally->subsets) {
        result->union_method = "subsets";
        return mean_over_subsets(&result->acc_e_union, tally, err);
    }
    result->union_method = "sampled";
    int orders = result->union_permutations = tally->unions.count;
    double mean = 0, squares = 0; /* Welford's running mean and sum of squares */
    for (int o = 0; o < orders; o++) {
        double value = order_mean(tally, &tally->unions, o, counts), before = value - mean;
        mean += before / (o + 1);
        squares += before * (value - mean);
    }
    result->acc_e_union = mean;
    result->acc_e_union_se = sqrt(squares / (orders - 1) / orders);
    return 0;
}

static void overall_figures(vb_openness_result *result, const vb_tally *tally) {
    int n = result->vocabularies;
    double c = 0, e = 0, s = 0;
    for (int t = 0; t < n; t++) {
        const vb_vocabulary_openness *v = &result->vocabulary[t];
        result->acc_c += v->acc_c;
        result->acc_e += v->acc_e;
        result->acc_s += v->acc_s;
        c += v->acc_c_se * v->acc_c_se;
        e += v->acc_e_se * v->acc_e_se;
        s += v->acc_s_se * v->acc_s_se;
    }
    /* Divided once: a sum of N numbers below 1 is no more than N, and rounding keeps that. */
    result->acc_c /= n;
    result->acc_e /= n;
    result->acc_s /= n;
    result->acc_c_se = sqrt(c) / n;
    result->acc_e_se = sqrt(e) / n;
    result->acc_s_se = sqrt(s) / n;
    double top1 = (double)*tally->unbeaten / (double)result->images;
    result->top1_all = top1;
    result->top1_all_se = result->images < 2 ? NAN : sqrt(top1 * (1 - top1) / (double)(result->images - 1));
}

static int count_images(vb_openness_result *result, const vb_tally *tally, vb_error *err) {
    for (int c = 0; c < tally->classes; c++) {
        result->images += tally->images[c];
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++)
            result->vocabulary[tally->memberships.vocabularies[h]].images +=
                vb_tally_entry_images(tally, c, tally->memberships.slots[h]);
    }
    if (tally->sets) {
        result->images += *tally->of_sets.all;
        result->shared_images = *tally->of_sets.shared;
    }
    for (int t = 0; t < tally->vocabularies; t++)
        if (!result->vocabulary[t].images) return vb_errorf(err, VB_EDATA, "vocabulary %d has no images", t);
    return 0;
}

/* The sums over each vocabulary's entries: N x N. */
static void add_entries(int64_t *sums, const vb_tally *tally, const int64_t *counts) {
    size_t n = (size_t)tally->vocabularies;
    for (size_t t = 0; t < n; t++)
        for (size_t i = (size_t)tally->offsets[t] * n; i < (size_t)tally->offsets[t + 1] * n; i++)
            sums[t * n + i % n] += counts[i];
}

static counts_by_harm vocabulary_counts(const vb_vocabulary_openness *v, const vb_tally *tally, int t) {
    counts_by_harm counts = {.images = v->images, .harm = v->harm_histogram, .kept = v->kept, .rescued = v->rescued};
    for (int i = tally->offsets[t]; tally->sets && i < tally->offsets[t + 1]; i++) {
        counts.squares_e += tally->of_sets.squares_e[i];
        counts.squares_s += tally->of_sets.squares_s[i];
    }
    return counts;
}

int vb_openness(vb_openness_result *out, const vb_tally *tally, vb_error *err) {
    int n = tally->vocabularies, status = -1;
    size_t side = (size_t)n, square = side * side;
    vb_openness_result result = {.vocabularies = n, .classes = tally->classes, .sampled_e = NAN, .sampled_s = NAN};
    *out = (vb_openness_result){0};
    int64_t *counts = NULL;
    scores its = {0};
    if (scores_new(&its, n, err)) goto done;
    counts = vb_array(side, sizeof(int64_t), "openness figures", err);
    if (!counts) goto done;
    result.vocabulary = vb_array(side, sizeof *result.vocabulary, "openness figures", err);
    if (!result.vocabulary) goto done;
    result.class = vb_array((size_t)tally->classes, sizeof *result.class, "openness figures", err);
    if (!result.class) goto done;
    result.counts = vb_array((tally->sets ? 4 : 2) * square, sizeof(int64_t), "openness figures", err);
    if (!result.counts) goto done;
    result.curves = vb_array(square, sizeof(double), "openness figures", err);
    if (!result.curves) goto done;
    add_entries(result.counts, tally, tally->harm);
    memcpy(result.counts + square, tally->theft, square * sizeof(int64_t));
    if (tally->sets) {
        add_entries(result.counts + 2 * square, tally, tally->of_sets.kept);
        add_entries(result.counts + 3 * square, tally, tally->of_sets.rescued);
    }
    if (count_images(&result, tally, err)) goto done;
    for (size_t t = 0; t < side; t++) {
        vb_vocabulary_openness *v = &result.vocabulary[t];
        v->harm_histogram = result.counts + t * side;
        v->theft = result.counts + square + t * side;
        if (tally->sets) {
            v->kept = v->harm_histogram + 2 * square;
            v->rescued = v->harm_histogram + 3 * square;
        }
        v->sampled_e = v->sampled_s = NAN;
        const counts_by_harm counts_of = vocabulary_counts(v, tally, (int)t);
        vocabulary_figures(v, &counts_of, result.curves + t * side, n, &its);
    }
    for (int c = 0; c < tally->classes; c++) class_figures(&result.class[c], tally, c, &its);
    overall_figures(&result, tally);
    if (tally->protocol.sampled) sampled_figures(&result, tally, counts);
    if (union_figures(&result, tally, counts, err)) goto done;
    *out = result;
    status = 0;
done:
    vb_free(its.own.until);
    vb_free(counts);
    if (status) vb_openness_free(&result);
    return status;
}

/* Adds what a tally counts of vocabulary t; sums: harm, and with sets kept and rescued, N each. */
static int64_t add_vocabulary(int64_t *sums, const vb_tally *tally, int t) {
    const size_t n = (size_t)tally->vocabularies;
    const int64_t *sections[] = {tally->harm, tally->of_sets.kept, tally->of_sets.rescued};
    for (int k = 0; k < (tally->sets ? 3 : 1); k++)
        for (size_t i = (size_t)tally->offsets[t] * n; i < (size_t)tally->offsets[t + 1] * n; i++)
            sums[(size_t)k * n + i % n] += sections[k][i];
    int64_t images = 0;
    for (int c = 0; c < tally->classes; c++)
        for (int h = tally->memberships.offsets[c]; h < tally->memberships.offsets[c + 1]; h++)
            if (tally->memberships.vocabularies[h] == t) images += vb_tally_entry_images(tally, c, tally->memberships.slots[h]);
    return images;
}

int vb_openness_acc_e_without(const vb_tally *const *tallies, int count, int without, double *acc_e, vb_error *err) {
    const int n = tallies[0]->vocabularies;
    const bool sets = tallies[0]->sets;
    scores its = {0};
    int64_t *sums = vb_array(3 * (size_t)n, sizeof *sums, "openness figures", err);
    int status = sums ? scores_new(&its, n, err) : -1, counted = 0;
    double total = 0;
    for (int t = 0; t < n && !status; t++) {
        counts_by_harm counts = {.harm = sums, .kept = sets ? sums + n : NULL, .rescued = sets ? sums + 2 * n : NULL};
        memset(sums, 0, 3 * (size_t)n * sizeof *sums);
        for (int g = 0; g < count; g++)
            if (g != without) counts.images += add_vocabulary(sums, tallies[g], t);
        if (!counts.images) continue;
        total += mean_score(&counts, &its.share, n, 0, NULL);
        counted++;
    }
    *acc_e = counted ? total / counted : 0;
    vb_free(its.own.until);
    vb_free(sums);
    return status;
}

void vb_openness_free(vb_openness_result *result) {
    vb_free(result->vocabulary);
    vb_free(result->class);
    vb_free(result->counts);
    vb_free(result->curves);
    *result = (vb_openness_result){0};
}
