/* Pairing of records, and the statistics of the pairs. */
#include "mpi/results/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/difference_errors.h"

/* ---- which images are the same ---- */

static bool same_sequence(const vb_record_set *a, const vb_record_set *b) {
    if (a->count != b->count) return false;
    for (int64_t i = 0; i < a->count; i++)
        if (strcmp(vb_record_set_name(a, i), vb_record_set_name(b, i)) || strcmp(a->class[a->label[i]], b -> class[b->label[i]]))
            return false;
    return true;
}

typedef struct named {
    const char *name;
    int64_t image;
} named;

static int by_name(const void *left, const void *right) {
    return strcmp(((const named *)left)->name, ((const named *)right)->name);
}

/* The images sorted by name. */
static named *sorted_names(const vb_record_set *set, vb_error *err) {
    named *list = vb_array((size_t)set->count, sizeof *list, "names of images", err);
    if (!list) return NULL;
    for (int64_t i = 0; i < set->count; i++) list[i] = (named){vb_record_set_name(set, i), i};
    qsort(list, (size_t)set->count, sizeof *list, by_name);
    for (int64_t i = 1; i < set->count; i++)
        if (!strcmp(list[i - 1].name, list[i].name)) {
            vb_errorf(err, VB_EMISMATCH, "%s: two images '%s': images of another order cannot be paired by name", set->path,
                      list[i].name);
            vb_free(list);
            return NULL;
        }
    return list;
}

static int pair_by_name(vb_pairing *pairing, const vb_record_set *a, const vb_record_set *b, vb_error *err) {
    named *names_a = sorted_names(a, err), *names_b = names_a ? sorted_names(b, err) : NULL;
    int status = names_b ? 0 : -1;
    for (int64_t i = 0; !status && i < a->count; i++) {
        named wanted = {vb_record_set_name(a, i), i};
        const named *found = bsearch(&wanted, names_b, (size_t)b->count, sizeof *names_b, by_name);
        if (!found) continue;
        const char *class_a = a->class[a->label[i]], *class_b = b->class[b->label[found->image]];
        if (strcmp(class_a, class_b))
            status = vb_errorf(err, VB_EMISMATCH, "image '%s' is of class '%s' in %s and of class '%s' in %s", wanted.name,
                               class_a, a->path, class_b, b->path);
        pairing->a[pairing->count] = i;
        pairing->b[pairing->count++] = found->image;
    }
    vb_free(names_a);
    vb_free(names_b);
    return status;
}

int vb_comparison_pairing_new(vb_pairing *pairing, const vb_record_set *a, const vb_record_set *b, vb_error *err) {
    *pairing = (vb_pairing){.in_order = same_sequence(a, b)};
    pairing->a = vb_array((size_t)a->count, sizeof *pairing->a, "pairs of images", err);
    pairing->b = vb_array((size_t)a->count, sizeof *pairing->b, "pairs of images", err);
    int status = pairing->a && pairing->b ? 0 : -1;
    if (!status && !pairing->in_order) status = pair_by_name(pairing, a, b, err);
    else if (!status)
        for (; pairing->count < a->count; pairing->count++)
            pairing->a[pairing->count] = pairing->b[pairing->count] = pairing->count;
    if (!status && !pairing->count) status = vb_errorf(err, VB_EMISMATCH, "%s and %s have no image in common", a->path, b->path);
    if (status) vb_comparison_pairing_free(pairing);
    pairing->only_a = a->count - pairing->count;
    pairing->only_b = b->count - pairing->count;
    return status;
}

void vb_comparison_pairing_free(vb_pairing *pairing) {
    vb_free(pairing->a);
    vb_free(pairing->b);
    *pairing = (vb_pairing){0};
}

/* ---- statistics ---- */

/* Work space: scores of the images of one vocabulary, and each image's share in the differences of the means over
 * vocabularies. */
typedef struct scores {
    const vb_record_set *a, *b;
    const vb_pairing *pairing;
    int64_t trials;
    uint32_t seed;
    int64_t count;  /* images of the vocabulary at hand */
    int64_t *image; /* their places in the pairing */
    int *class;     /* and numbers of their classes; those of all images of the pairing are of_all */
    int *of_all;
    double *in_a[VB_FIGURES], *in_b[VB_FIGURES];
    double *difference;
    double *share[VB_FIGURES];
} scores;

/* Signs are drawn for classes in the order of their first images in A, whatever lists them in another one. */
static int number_classes(const scores *work, vb_error *err) {
    const vb_record_set *a = work->a;
    int *number = vb_array((size_t)a->space.classes, sizeof *number, "scores", err), count = 0; /* from 1 */
    if (!number) return -1;
    for (int64_t i = 0; i < a->count; i++)
        if (!number[a->label[i]]) number[a->label[i]] = ++count;
    for (int64_t i = 0; i < work->pairing->count; i++) work->of_all[i] = number[a->label[work->pairing->a[i]]] - 1;
    vb_free(number);
    return 0;
}

static int scores_new(scores *work, vb_error *err) {
    size_t n = (size_t)work->pairing->count;
    work->image = vb_array(n, sizeof *work->image, "scores", err);
    work->difference = vb_array(n, sizeof *work->difference, "scores", err);
    work->class = vb_array(n, sizeof *work->class, "scores", err);
    work->of_all = vb_array(n, sizeof *work->of_all, "scores", err);
    if (!work->image || !work->difference || !work->class || !work->of_all) return -1;
    if (number_classes(work, err)) return -1;
    for (int f = 0; f < VB_FIGURES; f++) {
        work->in_a[f] = vb_array(n, sizeof(double), "scores", err);
        work->in_b[f] = vb_array(n, sizeof(double), "scores", err);
        work->share[f] = vb_array(n, sizeof(double), "scores", err);
        if (!work->in_a[f] || !work->in_b[f] || !work->share[f]) return -1;
    }
    return 0;
}

static void scores_free(scores *work) {
    vb_free(work->image);
    vb_free(work->difference);
    vb_free(work->class);
    vb_free(work->of_all);
    for (int f = 0; f < VB_FIGURES; f++) {
        vb_free(work->in_a[f]);
        vb_free(work->in_b[f]);
        vb_free(work->share[f]);
    }
}

static int find_vocabulary(const vb_record_set *set, const char *name) {
    for (int v = 0; v < set->space.vocabularies; v++)
        if (!strcmp(set->vocabulary[v], name)) return v;
    return -1;
}

static void put_scores(double *const to[VB_FIGURES], int64_t at, const vb_record_set *set, int64_t image, int v) {
    vb_image_scores values = vb_record_set_scores(set, image, v);
    to[VB_ACC_C][at] = values.c;
    to[VB_ACC_E][at] = values.e;
    to[VB_ACC_S][at] = values.s;
    to[VB_TOP1_ALL][at] = set->right[image];
}

/* Rights and wrongs of the scores at hand. */
static void test_rights(vb_compared *out, const double *a, const double *b, int64_t n) {
    out->only_a = out->only_b = 0;
    for (int64_t i = 0; i < n; i++) {
        out->only_a += a[i] > b[i];
        out->only_b += b[i] > a[i];
    }
    out->p = vb_paired_mcnemar(out->only_a, out->only_b);
}

static int test_flips(vb_compared *out, const double *differences, int64_t n, const scores *work, vb_error *err) {
    out->only_a = out->only_b = -1;
    if (vb_paired_sign_flips(&out->flips, differences, n, work->trials, work->seed, err)) return -1;
    out->p = out->flips.p;
    return 0;
}

static int test_classes(vb_compared *out, const double *differences, const int *class, int64_t n, const scores *work,
                        vb_error *err) {
    const vb_flip_drawing drawing = {work->trials, work->seed};
    return vb_clustered_sign_flips(&out->by_class, differences, class, n, work->a->space.classes, &drawing, err);
}

/* Acc-S of a single vocabulary. */
static void no_figure(vb_compared *out) {
    out->p = out->by_class.p = NAN;
    out->only_a = out->only_b = -1;
}

static int compare_figure(vb_compared *out, scores *work, int f, const int *class, vb_error *err) {
    const double *a = work->in_a[f], *b = work->in_b[f];
    out->holm[0] = out->holm[1] = NAN;
    vb_paired_means(&out->mean, a, b, work->count);
    if (!isfinite(out->mean.difference)) {
        no_figure(out);
        return 0;
    }
    for (int64_t i = 0; i < work->count; i++) work->difference[i] = b[i] - a[i];
    if (f == VB_ACC_C || f == VB_TOP1_ALL) test_rights(out, a, b, work->count);
    else if (test_flips(out, work->difference, work->count, work, err)) return -1;
    return test_classes(out, work->difference, class, work->count, work, err);
}

static int compare_vocabulary(vb_compared_vocabulary *out, scores *work, int va, int vb, vb_error *err) {
    const vb_pairing *pairing = work->pairing;
    work->count = 0;
    for (int64_t i = 0; i < pairing->count; i++) {
        if (!vb_record_set_in(work->a, pairing->a[i], va) || !vb_record_set_in(work->b, pairing->b[i], vb)) continue;
        put_scores(work->in_a, work->count, work->a, pairing->a[i], va);
        put_scores(work->in_b, work->count, work->b, pairing->b[i], vb);
        work->class[work->count] = work->of_all[i];
        work->image[work->count++] = i;
    }
    out->name = work->a->vocabulary[va];
    out->in_a = va;
    out->in_b = vb;
    out->images = work->count;
    for (int f = 0; f < VB_FIGURES && work->count; f++) {
        if (compare_figure(&out->figure[f], work, f, work->class, err)) return -1;
        for (int64_t i = 0; i < work->count; i++)
            work->share[f][work->image[i]] += (work->in_b[f][i] - work->in_a[f][i]) / (double)work->count;
    }
    return 0;
}

/* The mean over the vocabularies; its test flips images, each with its shares in all vocabularies that hold its class. */
static int compare_means(vb_comparison *comparison, const scores *work, int f, vb_error *err) {
    vb_compared *out = &comparison->figure[f];
    double n = comparison->vocabularies, squares = 0;
    out->mean = (vb_paired_mean){0};
    for (int v = 0; v < comparison->vocabularies; v++) {
        const vb_paired_mean *mean = &comparison->vocabulary[v].figure[f].mean;
        out->mean.a += mean->a;
        out->mean.b += mean->b;
        out->mean.difference += mean->difference;
        squares += mean->error * mean->error;
    }
    out->mean.a /= n;
    out->mean.b /= n;
    out->mean.difference /= n;
    out->mean.error = sqrt(squares) / n;
    out->holm[0] = out->holm[1] = NAN;
    if (!isfinite(out->mean.difference)) {
        no_figure(out);
        return 0;
    }
    if (test_flips(out, work->share[f], work->pairing->count, work, err)) return -1;
    return test_classes(out, work->share[f], work->of_all, work->pairing->count, work, err);
}

/* Over images: right among all classes, and right within the own vocabulary. */
static int compare_images(vb_comparison *comparison, scores *work, vb_error *err) {
    const vb_record_set *a = work->a, *b = work->b;
    const vb_pairing *pairing = work->pairing;
    for (int64_t i = 0; i < pairing->count; i++) {
        int64_t image_a = pairing->a[i], image_b = pairing->b[i];
        int own_a = a->memberships.vocabularies[a->memberships.offsets[a->label[image_a]]],
            own_b = b->memberships.vocabularies[b->memberships.offsets[b->label[image_b]]];
        put_scores(work->in_a, i, a, image_a, own_a);
        put_scores(work->in_b, i, b, image_b, own_b);
    }
    vb_compared *const out[] = {&comparison->own, &comparison->figure[VB_TOP1_ALL]};
    const int figure[] = {VB_ACC_C, VB_TOP1_ALL};
    work->count = pairing->count;
    for (int k = 0; k < 2; k++)
        if (compare_figure(out[k], work, figure[k], work->of_all, err)) return -1;
    return 0;
}

/* By Holm over the vocabularies: each figure, and each of its two tests, is a family. */
static int correct_vocabularies(vb_comparison *comparison, vb_error *err) {
    const int n = comparison->vocabularies;
    double *p = vb_array((size_t)n, sizeof *p, "p-values", err),
           *holm = p ? vb_array((size_t)n, sizeof *holm, "p-values", err) : NULL;
    int status = holm ? 0 : -1;
    for (int k = 0; k < 2 * VB_FIGURES && !status; k++) {
        for (int v = 0; v < n; v++) {
            const vb_compared *figure = &comparison->vocabulary[v].figure[k / 2];
            p[v] = k % 2 ? figure->by_class.p : figure->p;
        }
        status = vb_clustered_holm(holm, p, n, err);
        for (int v = 0; v < n && !status; v++) comparison->vocabulary[v].figure[k / 2].holm[k % 2] = holm[v];
    }
    vb_free(p);
    vb_free(holm);
    return status;
}

static void take_errors(vb_compared *figure, const double error[VB_SPREAD_KINDS]) {
    memcpy(figure->error, error, sizeof figure->error);
}

static int add_errors(vb_comparison *comparison, const scores *work, vb_error *err) {
    const int n = comparison->vocabularies;
    vb_difference_errors errors = {.vocabulary = NULL};
    int *in_a = vb_array((size_t)n, sizeof *in_a, "errors of differences", err),
        *in_b = in_a ? vb_array((size_t)n, sizeof *in_b, "errors of differences", err) : NULL;
    int status = in_b ? 0 : -1;
    for (int v = 0; v < n && !status; v++) {
        in_a[v] = comparison->vocabulary[v].in_a;
        in_b[v] = comparison->vocabulary[v].in_b;
    }
    const vb_judged_pairs pairs = {.side = {vb_record_set_judged(work->a), vb_record_set_judged(work->b)},
                                   .image = {work->pairing->a, work->pairing->b},
                                   .count = work->pairing->count,
                                   .vocabularies = n,
                                   .place = {in_a, in_b}};
    if (!status) status = vb_difference_errors_new(&errors, &pairs, err);
    for (int f = 0; f < VB_FIGURES && !status; f++) {
        take_errors(&comparison->figure[f], errors.figure[f]);
        for (int v = 0; v < n; v++) take_errors(&comparison->vocabulary[v].figure[f], errors.vocabulary[v][f]);
    }
    if (!status) take_errors(&comparison->own, errors.own);
    vb_difference_errors_free(&errors);
    vb_free(in_a);
    vb_free(in_b);
    return status;
}

int vb_comparison_new(vb_comparison *comparison, const vb_record_set *a, const vb_record_set *b, const vb_pairing *pairing,
                      int64_t trials, uint32_t seed, vb_error *err) {
    scores work = {.a = a, .b = b, .pairing = pairing, .trials = trials, .seed = seed};
    *comparison = (vb_comparison){0};
    comparison->vocabulary = vb_array((size_t)a->space.vocabularies, sizeof *comparison->vocabulary, "comparison", err);
    int status = comparison->vocabulary ? scores_new(&work, err) : -1;
    for (int va = 0; va < a->space.vocabularies && !status; va++) {
        vb_compared_vocabulary *out = &comparison->vocabulary[comparison->vocabularies];
        int vb = find_vocabulary(b, a->vocabulary[va]);
        if (vb < 0) continue;
        status = compare_vocabulary(out, &work, va, vb, err);
        comparison->vocabularies += out->images > 0;
    }
    if (!status && !comparison->vocabularies)
        status = vb_errorf(err, VB_EMISMATCH, "%s and %s have no vocabulary with images in common", a->path, b->path);
    for (int f = VB_ACC_C; f <= VB_ACC_S && !status; f++) status = compare_means(comparison, &work, f, err);
    if (!status) status = compare_images(comparison, &work, err);
    if (!status) status = correct_vocabularies(comparison, err);
    if (!status) status = add_errors(comparison, &work, err);
    scores_free(&work);
    if (status) vb_comparison_free(comparison);
    return status;
}

void vb_comparison_free(vb_comparison *comparison) {
    vb_free(comparison->vocabulary);
    *comparison = (vb_comparison){0};
}
