/* Tallies of judged images, and the openness figures in closed form from the counts. */
#include "kernels/openness/openness.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/numpy_rng.h"
#include "kernels/openness/subsets.h"

enum {
    /* 1 / (b + 1) of a class's images is summed in units of 2^-SHARE_BITS: integers, so that the order of summation does not
     * matter; off by half a unit an image at most, and room for CLASS_IMAGES_MAX images a class. */
    SHARE_BITS = 38,
    CLASS_IMAGES_MAX = 1 << 25,
    VOCABULARIES_MAX = 65535,
    ORDERS_MAX = 1000000
};

/* Random orders of arrival of the N vocabularies. */
typedef struct order_set {
    int count;
    int *place;       /* place[o * N + u], from 0: when vocabulary u arrives in order o */
    int64_t *changes; /* changes[o * (N + 1) + p]: how many more images are right once the vocabulary at place p is there */
} order_set;

struct vb_tally {
    int classes, vocabularies;
    vb_protocol protocol;
    int *offsets; /* of the label space */
    vb_memberships homes;
    int *beaten; /* scratch: the vocabularies that beat the image at hand */
    size_t count;
    int64_t *counters;
    /* sections of the counters: */
    int64_t *images, *right, *share; /* by class */
    int64_t *unbeaten;               /* one */
    int64_t *harm, *theft;           /* N x N */
    int64_t *subsets;                /* 2^N: `right` of vb_subsets_mean; NULL beyond VB_SUBSETS_MAX vocabularies */
    order_set unions;                /* beyond VB_SUBSETS_MAX vocabularies */
    order_set trials;                /* sampled: order t * protocol.trials + k begins with t */
    int64_t *survived; /* sampled: by entry of the label space, foreign vocabularies that its images survive, over all trials */
};

static int orders_new(order_set *set, size_t count, int n, vb_error *err) {
    set->count = (int)count;
    set->place = vb_array(count * (size_t)n, sizeof(int), "orders of the vocabularies", err);
    return set->place ? 0 : -1;
}

/* As the official code draws them: for each target in turn, permutations of the others out of one sequence. */
static void draw_trials(vb_tally *tally, int *order) {
    int n = tally->vocabularies;
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, tally->protocol.seed);
    for (int o = 0; o < tally->trials.count; o++) {
        int target = o / tally->protocol.trials, *place = tally->trials.place + (size_t)o * (size_t)n;
        for (int i = 0; i < n - 1; i++) order[i] = i + (i >= target);
        vb_numpy_rng_permutation(&rng, order, n - 1);
        place[target] = 0;
        for (int i = 0; i < n - 1; i++) place[order[i]] = i + 1;
    }
}

static void draw_unions(vb_tally *tally, int *order) {
    int n = tally->vocabularies;
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, tally->protocol.seed);
    for (int o = 0; o < tally->unions.count; o++) {
        for (int i = 0; i < n; i++) order[i] = i;
        vb_numpy_rng_permutation(&rng, order, n);
        for (int i = 0; i < n; i++) tally->unions.place[(size_t)o * (size_t)n + (size_t)order[i]] = i;
    }
}

/* The sections of the counters, one after the other from `base`; with base NULL only their total size. */
static size_t lay_out(vb_tally *tally, int64_t *base) {
    size_t n = (size_t)tally->vocabularies, classes = (size_t)tally->classes, used = 0;
    struct {
        int64_t **section;
        size_t length;
    } sections[] = {{&tally->images, classes},
                    {&tally->right, classes},
                    {&tally->share, classes},
                    {&tally->unbeaten, 1},
                    {&tally->harm, n * n},
                    {&tally->theft, n * n},
                    {&tally->subsets, n <= VB_SUBSETS_MAX ? (size_t)1 << n : 0},
                    {&tally->unions.changes, (size_t)tally->unions.count * (n + 1)},
                    {&tally->trials.changes, (size_t)tally->trials.count * (n + 1)},
                    {&tally->survived, tally->protocol.sampled ? (size_t)tally->offsets[n] : 0}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        *sections[i].section = base && sections[i].length ? base + used : NULL;
        used += sections[i].length;
    }
    return used;
}

int vb_openness_tally_new(vb_tally **out, const vb_label_space *space, const vb_protocol *protocol, vb_error *err) {
    *out = NULL;
    int n = space->vocabularies;
    int permutations = protocol->union_permutations ? protocol->union_permutations : VB_UNION_PERMUTATIONS;
    if (n > VOCABULARIES_MAX)
        return vb_errorf(err, VB_EUNSUPPORTED, "%d vocabularies, at most %d are handled", n, VOCABULARIES_MAX);
    if (protocol->sampled && (protocol->trials < 1 || protocol->trials > ORDERS_MAX / (n > 0 ? n : 1)))
        return vb_errorf(err, VB_ECONFIG, "sampled protocol of %d trials for each of %d vocabularies, expected 1 to %d",
                         protocol->trials, n, ORDERS_MAX / (n > 0 ? n : 1));
    if (permutations < 2 || permutations > ORDERS_MAX)
        return vb_errorf(err, VB_ECONFIG, "%d permutations for the union of images, expected 2 to %d", permutations, ORDERS_MAX);
    vb_tally *tally = vb_array(1, sizeof *tally, "tally", err);
    if (!tally) return -1;
    *tally = (vb_tally){.classes = space->classes, .vocabularies = n, .protocol = *protocol};
    if (vb_label_space_memberships_new(&tally->homes, space, err)) goto fail;
    tally->offsets = vb_array((size_t)n + 1, sizeof(int), "tally", err);
    if (!tally->offsets) goto fail;
    memcpy(tally->offsets, space->offsets, ((size_t)n + 1) * sizeof(int));
    tally->beaten = vb_array((size_t)n, sizeof(int), "tally", err);
    if (!tally->beaten) goto fail;
    if (n > VB_SUBSETS_MAX) {
        if (orders_new(&tally->unions, (size_t)permutations, n, err)) goto fail;
        draw_unions(tally, tally->beaten);
    }
    if (protocol->sampled) {
        if (orders_new(&tally->trials, (size_t)protocol->trials * (size_t)n, n, err)) goto fail;
        draw_trials(tally, tally->beaten);
    }
    tally->count = lay_out(tally, NULL);
    tally->counters = vb_array(tally->count, sizeof(int64_t), "tally", err);
    if (!tally->counters) goto fail;
    lay_out(tally, tally->counters);
    *out = tally;
    return 0;
fail:
    vb_openness_tally_free(tally);
    return -1;
}

void vb_openness_tally_free(vb_tally *tally) {
    if (!tally) return;
    vb_label_space_memberships_free(&tally->homes);
    vb_free(tally->offsets);
    vb_free(tally->beaten);
    vb_free(tally->unions.place);
    vb_free(tally->trials.place);
    vb_free(tally->counters);
    vb_free(tally);
}

int64_t *vb_openness_tally_counters(vb_tally *tally, size_t *count) {
    *count = tally->count;
    return tally->counters;
}

/* The earliest place of the listed vocabularies; `otherwise` when none is listed. */
static int earliest(const int *place, const int *list, int count, int otherwise) {
    int first = otherwise;
    for (int i = 0; i < count; i++)
        if (place[list[i]] < first) first = place[list[i]];
    return first;
}

/* An image is right from the arrival of its first vocabulary until that of the first one that beats it. */
static void orders_add(order_set *set, int n, const int *homes, int home_count, const int *beaten, int beaten_count) {
    for (int o = 0; o < set->count; o++) {
        const int *place = set->place + (size_t)o * (size_t)n;
        int from = earliest(place, homes, home_count, n), until = earliest(place, beaten, beaten_count, n);
        if (from >= until) continue;
        int64_t *changes = set->changes + (size_t)o * ((size_t)n + 1);
        changes[from]++;
        changes[until]--;
    }
}

void vb_openness_tally_add(vb_tally *tally, int label, const uint8_t *beaten) {
    int n = tally->vocabularies, first = tally->homes.offsets[label], home_count = tally->homes.offsets[label + 1] - first;
    if (!home_count) return;
    const int *homes = tally->homes.vocabularies + first, *slots = tally->homes.slots + first;
    int b = 0;
    for (int u = 0; u < n; u++)
        if (beaten[u]) tally->beaten[b++] = u;
    tally->images[label]++;
    *tally->unbeaten += !b;
    for (int h = 0; h < home_count; h++) {
        int t = homes[h];
        if (beaten[t]) continue;
        if (!h) {
            tally->right[label]++;
            tally->share[label] += (((int64_t)2 << SHARE_BITS) + b + 1) / (2 * (b + 1));
        }
        tally->harm[(size_t)t * (size_t)n + (size_t)b]++;
        for (int i = 0; i < b; i++) tally->theft[(size_t)t * (size_t)n + (size_t)tally->beaten[i]]++;
        for (int k = 0; tally->survived && k < tally->protocol.trials; k++) {
            size_t order = (size_t)t * (size_t)tally->protocol.trials + (size_t)k;
            tally->survived[slots[h]] += earliest(tally->trials.place + order * (size_t)n, tally->beaten, b, n) - 1;
        }
    }
    if (tally->subsets) {
        size_t beaten_set = 0, home_set = 0;
        for (int i = 0; i < b; i++) beaten_set |= (size_t)1 << tally->beaten[i];
        for (int h = 0; h < home_count; h++) home_set |= (size_t)1 << homes[h];
        tally->subsets[beaten_set]++;
        tally->subsets[beaten_set | home_set]--;
    }
    orders_add(&tally->unions, n, homes, home_count, tally->beaten, b);
    orders_add(&tally->trials, n, homes, home_count, tally->beaten, b);
}

/* ---- figures ------------------------------------------------------------------------------------------------------- */

/* Mean and its standard error of n scores: score[b] for each of harm[b] images, 0 for the rest. */
static double mean_score(const int64_t *harm, const double *score, int count, int64_t n, double *standard_error) {
    double sum = 0, squares = 0;
    int64_t rest = n;
    for (int b = 0; b < count; b++) sum += (double)harm[b] * score[b];
    double mean = sum / (double)n;
    if (!standard_error) return mean;
    for (int b = 0; b < count; b++) {
        squares += (double)harm[b] * (score[b] - mean) * (score[b] - mean);
        rest -= harm[b];
    }
    squares += (double)rest * mean * mean;
    *standard_error = n < 2 ? NAN : sqrt(squares / (double)(n - 1) / (double)n);
    return mean;
}

/* `work` holds 4 N doubles. */
static void vocabulary_figures(vb_vocabulary_openness *v, double *curve, int n, double *work) {
    double *own = work, *share = work + n, *stable = work + 2 * n, *weight = work + 3 * n;
    int m = n - 1;
    for (int b = 0; b < n; b++) {
        own[b] = weight[b] = 1;
        share[b] = 1.0 / (b + 1);
        stable[b] = m ? (double)(m - b) / ((double)m * (b + 1)) : NAN;
    }
    v->acc_c = mean_score(v->harm_histogram, own, n, v->images, &v->acc_c_se);
    v->acc_e = mean_score(v->harm_histogram, share, n, v->images, &v->acc_e_se);
    v->acc_s = v->acc_s_se = NAN;
    if (m) v->acc_s = mean_score(v->harm_histogram, stable, n, v->images, &v->acc_s_se);
    for (int i = 0; i < n; i++) { /* C(m-b, i+1) / C(m, i+1) = C(m-b, i) / C(m, i) * (m-b-i) / (m-i), and 0 once it was 0 */
        curve[i] = mean_score(v->harm_histogram, weight, n, v->images, NULL);
        for (int b = 0; b < n && i < m; b++) weight[b] *= (double)(m - b - i) / (m - i);
    }
    v->curve = curve;
}

static void class_figures(vb_class_openness *class, int64_t images, int64_t right, int64_t share, int n) {
    *class = (vb_class_openness){images, right, NAN, NAN, NAN};
    if (!images) return;
    class->acc_c = (double)right / (double)images;
    class->acc_e = ldexp((double)share, -SHARE_BITS) / (double)images;
    if (n > 1) class->acc_s = (n * class->acc_e - class->acc_c) / (n - 1); /* the closed forms' identity, image by image */
}

/* Accuracy over the union of images, averaged over all prefixes of one order. `arrivals` holds N counts. */
static double order_mean(const vb_tally *tally, const order_set *set, int o, int64_t *arrivals) {
    int n = tally->vocabularies;
    const int *place = set->place + (size_t)o * (size_t)n;
    const int64_t *changes = set->changes + (size_t)o * ((size_t)n + 1);
    memset(arrivals, 0, (size_t)n * sizeof *arrivals);
    for (int c = 0; c < tally->classes; c++) {
        const int *offsets = tally->homes.offsets;
        if (!tally->images[c]) continue;
        arrivals[earliest(place, tally->homes.vocabularies + offsets[c], offsets[c + 1] - offsets[c], n)] += tally->images[c];
    }
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
        result->sampled_e += sum / trials / n;
    }
    memset(counts, 0, (size_t)n * sizeof *counts); /* from here: classes of t that have images */
    for (int c = 0; c < tally->classes; c++)
        for (int h = tally->homes.offsets[c]; tally->images[c] && h < tally->homes.offsets[c + 1]; h++) {
            int t = tally->homes.vocabularies[h];
            counts[t]++;
            result->vocabulary[t].sampled_s += (double)tally->survived[tally->homes.slots[h]] / (double)tally->images[c];
        }
    for (int t = 0; t < n; t++) {
        vb_vocabulary_openness *v = &result->vocabulary[t];
        v->sampled_s = n > 1 ? v->sampled_s / (double)counts[t] / ((double)trials * (n - 1)) : NAN;
        result->sampled_s += v->sampled_s / n;
    }
}

static int closed_form_holds(const vb_openness_result *result, const vb_tally *tally) {
    for (int t = 1; t < result->vocabularies; t++)
        if (result->vocabulary[t].images != result->vocabulary[0].images) return 0;
    for (int c = 0; c < tally->classes; c++)
        if (tally->images[c] && tally->homes.offsets[c + 1] - tally->homes.offsets[c] > 1) return 0;
    return 1;
}

static int mean_over_subsets(double *mean, const vb_tally *tally, vb_error *err) {
    size_t sets = (size_t)1 << tally->vocabularies;
    int64_t *right = vb_array(sets, sizeof(int64_t), "sets of vocabularies", err);
    int64_t *count = right ? vb_array(sets, sizeof(int64_t), "sets of vocabularies", err) : NULL;
    int result = -1;
    if (!count) goto out;
    memcpy(right, tally->subsets, sets * sizeof *right);
    for (int c = 0; c < tally->classes; c++) {
        size_t homes = 0;
        for (int h = tally->homes.offsets[c]; h < tally->homes.offsets[c + 1]; h++)
            homes |= (size_t)1 << tally->homes.vocabularies[h];
        count[homes] += tally->images[c]; /* none, for a class that is in no vocabulary */
    }
    result = vb_subsets_mean(mean, right, count, tally->vocabularies, err);
out:
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
        result->acc_c += v->acc_c / n;
        result->acc_e += v->acc_e / n;
        result->acc_s += v->acc_s / n;
        c += v->acc_c_se * v->acc_c_se;
        e += v->acc_e_se * v->acc_e_se;
        s += v->acc_s_se * v->acc_s_se;
    }
    result->acc_c_se = sqrt(c) / n;
    result->acc_e_se = sqrt(e) / n;
    result->acc_s_se = sqrt(s) / n;
    double top1 = (double)*tally->unbeaten / (double)result->images;
    result->top1_all = top1;
    result->top1_all_se = result->images < 2 ? NAN : sqrt(top1 * (1 - top1) / (double)(result->images - 1));
}

static int count_images(vb_openness_result *result, const vb_tally *tally, vb_error *err) {
    for (int c = 0; c < tally->classes; c++) {
        if (tally->images[c] > CLASS_IMAGES_MAX)
            return vb_errorf(err, VB_EUNSUPPORTED, "class %d has %lld images, at most %d are handled", c,
                             (long long)tally->images[c], CLASS_IMAGES_MAX);
        result->images += tally->images[c];
        for (int h = tally->homes.offsets[c]; h < tally->homes.offsets[c + 1]; h++)
            result->vocabulary[tally->homes.vocabularies[h]].images += tally->images[c];
    }
    for (int t = 0; t < tally->vocabularies; t++)
        if (!result->vocabulary[t].images) return vb_errorf(err, VB_EDATA, "vocabulary %d has no images", t);
    return 0;
}

int vb_openness(vb_openness_result *out, const vb_tally *tally, vb_error *err) {
    int n = tally->vocabularies, status = -1;
    size_t side = (size_t)n, square = side * side;
    vb_openness_result result = {.vocabularies = n, .classes = tally->classes, .sampled_e = NAN, .sampled_s = NAN};
    *out = (vb_openness_result){0};
    int64_t *counts = NULL;
    double *work = vb_array(4 * side, sizeof(double), "openness figures", err);
    if (!work) goto out;
    counts = vb_array(side, sizeof(int64_t), "openness figures", err);
    if (!counts) goto out;
    result.vocabulary = vb_array(side, sizeof *result.vocabulary, "openness figures", err);
    if (!result.vocabulary) goto out;
    result.class = vb_array((size_t)tally->classes, sizeof *result.class, "openness figures", err);
    if (!result.class) goto out;
    result.counts = vb_array(2 * square, sizeof(int64_t), "openness figures", err);
    if (!result.counts) goto out;
    result.curves = vb_array(square, sizeof(double), "openness figures", err);
    if (!result.curves) goto out;
    memcpy(result.counts, tally->harm, square * sizeof(int64_t));
    memcpy(result.counts + square, tally->theft, square * sizeof(int64_t));
    if (count_images(&result, tally, err)) goto out;
    for (size_t t = 0; t < side; t++) {
        vb_vocabulary_openness *v = &result.vocabulary[t];
        v->harm_histogram = result.counts + t * side;
        v->theft = result.counts + square + t * side;
        v->sampled_e = v->sampled_s = NAN;
        vocabulary_figures(v, result.curves + t * side, n, work);
    }
    for (int c = 0; c < tally->classes; c++)
        class_figures(&result.class[c], tally -> images[c], tally -> right[c], tally -> share[c], n);
    overall_figures(&result, tally);
    if (tally->protocol.sampled) sampled_figures(&result, tally, counts);
    if (union_figures(&result, tally, counts, err)) goto out;
    *out = result;
    status = 0;
out:
    vb_free(work);
    vb_free(counts);
    if (status) vb_openness_free(&result);
    return status;
}

void vb_openness_free(vb_openness_result *result) {
    vb_free(result->vocabulary);
    vb_free(result->class);
    vb_free(result->counts);
    vb_free(result->curves);
    *result = (vb_openness_result){0};
}
