/* Differences by class and vocabulary, and with every vocabulary deleted once. */
#include "kernels/openness/difference_errors.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"

enum { MEANS = VB_TOP1_ALL /* Acc-C, Acc-E, Acc-S: of vocabularies, and means over them */ };

/* Both sides of a vocabulary: sums over its images. */
typedef struct side_sums {
    int64_t images;
    double c, e;
} side_sums;

typedef struct errors_work {
    const vb_judged_pairs *pairs;
    vb_difference_errors *errors;
    int *cell_at; /* by entry of A's memberships: its cell, or -1 */
    int *offsets; /* of the cells, by vocabulary of both */
    int *of_cell; /* the vocabulary of each cell */
    vb_spread_cell *cells[VB_FIGURES];
    vb_spread_cross *crosses[MEANS]; /* a class's two vocabularies each */
    int64_t *cross_at;               /* vb_label_space_pairs_new of A */
    side_sums *sums[2];              /* by vocabulary */
    double *relief[2];               /* [t * n + u]: what deleting u adds to the sum of Acc-E over t's images */
    double *deleted, *without;       /* differences: [u * n + t], and of one figure */
} errors_work;

static const int *memberships_of(const vb_judged *a, int class, int *count) {
    *count = a->memberships->offsets[class + 1] - a->memberships->offsets[class];
    return a->memberships->vocabularies + a->memberships->offsets[class];
}

/* ---- room ---- */

static int lay_out_cells(errors_work *work, vb_error *err) {
    const vb_judged *a = &work->pairs->side[0];
    const int n = work->pairs->vocabularies, entries = a->space->offsets[a->space->vocabularies];
    int used = 0;
    work->cell_at = vb_array((size_t)entries, sizeof *work->cell_at, "errors of differences", err);
    work->offsets = vb_array((size_t)n + 1, sizeof *work->offsets, "errors of differences", err);
    work->of_cell = vb_array((size_t)entries, sizeof *work->of_cell, "errors of differences", err);
    if (!work->cell_at || !work->offsets || !work->of_cell) return -1;
    int *by_slot = vb_array((size_t)entries, sizeof *by_slot, "errors of differences", err);
    if (!by_slot) return -1;
    for (int t = 0; t < n; t++) {
        int v = work->pairs->place[0][t];
        for (int i = a->space->offsets[v]; i < a->space->offsets[v + 1]; i++) {
            work->of_cell[used] = t;
            by_slot[i] = ++used; /* 0: of no vocabulary in both */
        }
        work->offsets[t + 1] = used;
    }
    for (int i = 0; i < entries; i++) work->cell_at[i] = by_slot[a->memberships->slots[i]] - 1;
    vb_free(by_slot);
    for (int f = 0; f < VB_FIGURES; f++) {
        size_t cells = f < MEANS ? (size_t)used : (size_t)a->space->classes;
        if (!(work->cells[f] = vb_array(cells, sizeof *work->cells[f], "errors of differences", err))) return -1;
    }
    return 0;
}

static int lay_out_crosses(errors_work *work, vb_error *err) {
    const vb_judged *a = &work->pairs->side[0];
    if (!(work->cross_at = vb_label_space_pairs_new(a->memberships, a->space->classes, err))) return -1;
    for (int f = 0; f < MEANS; f++) {
        size_t pairs = (size_t)work->cross_at[a->space->classes];
        if (!(work->crosses[f] = vb_array(pairs, sizeof *work->crosses[f], "errors of differences", err))) return -1;
    }
    return 0;
}

static int work_new(errors_work *work, vb_error *err) {
    const size_t n = (size_t)work->pairs->vocabularies;
    if (lay_out_cells(work, err) || lay_out_crosses(work, err)) return -1;
    for (int s = 0; s < 2; s++) {
        work->sums[s] = vb_array(n, sizeof *work->sums[s], "errors of differences", err);
        work->relief[s] = vb_array(n * n, sizeof *work->relief[s], "errors of differences", err);
        if (!work->sums[s] || !work->relief[s]) return -1;
    }
    work->deleted = vb_array(n * n, sizeof *work->deleted, "errors of differences", err);
    work->without = vb_array(n, sizeof *work->without, "errors of differences", err);
    return work->deleted && work->without ? 0 : -1;
}

static void work_free(errors_work *work) {
    vb_free(work->cell_at);
    vb_free(work->offsets);
    vb_free(work->of_cell);
    vb_free(work->cross_at);
    for (int f = 0; f < VB_FIGURES; f++) vb_free(work->cells[f]);
    for (int f = 0; f < MEANS; f++) vb_free(work->crosses[f]);
    for (int s = 0; s < 2; s++) {
        vb_free(work->sums[s]);
        vb_free(work->relief[s]);
    }
    vb_free(work->deleted);
    vb_free(work->without);
}

/* ---- sums ---- */

static void differences_of(const errors_work *work, int64_t i, int t, double out[MEANS]) {
    const vb_judged_pairs *pairs = work->pairs;
    vb_image_scores a = vb_judged_scores(&pairs->side[0], pairs->image[0][i], pairs->place[0][t]),
                    b = vb_judged_scores(&pairs->side[1], pairs->image[1][i], pairs->place[1][t]);
    out[VB_ACC_C] = b.c - a.c;
    out[VB_ACC_E] = b.e - a.e;
    out[VB_ACC_S] = b.s - a.s;
}

/* What the other vocabularies' deletion would give an image of t. */
static void add_sides(errors_work *work, int64_t i, int t) {
    const int n = work->pairs->vocabularies;
    for (int s = 0; s < 2; s++) {
        const vb_judged *side = &work->pairs->side[s];
        const int64_t image = work->pairs->image[s][i];
        const int *place = work->pairs->place[s];
        vb_image_scores score = vb_judged_scores(side, image, place[t]);
        const uint8_t *beaten = side->beaten + image * side->space->vocabularies;
        work->sums[s][t].images++;
        work->sums[s][t].c += score.c;
        work->sums[s][t].e += score.e;
        double harmful = score.c > 0 ? round(1 / score.e) - 1 : 0;
        for (int u = 0; u < n; u++)
            if (score.c > 0 && u != t && beaten[place[u]])
                work->relief[s][(size_t)t * (size_t)n + (size_t)u] += 1 / harmful - 1 / (harmful + 1);
    }
}

/* Whether pair i has its class in vocabulary t in both. */
static bool is_in_both(const errors_work *work, int64_t i, int t) {
    const vb_judged_pairs *pairs = work->pairs;
    return vb_judged_in(&pairs->side[0], pairs->image[0][i], pairs->place[0][t]) &&
           vb_judged_in(&pairs->side[1], pairs->image[1][i], pairs->place[1][t]);
}

static void add_image(errors_work *work, int64_t i, bool second_pass) {
    const vb_judged *a = &work->pairs->side[0];
    const int class = a->label[work->pairs->image[0][i]];
    int count;
    memberships_of(a, class, &count);
    for (int h = 0; h < count; h++) {
        int cell = work->cell_at[a->memberships->offsets[class] + h], t = cell < 0 ? -1 : work->of_cell[cell];
        double d[MEANS], other[MEANS];
        if (t < 0 || !is_in_both(work, i, t)) continue;
        differences_of(work, i, t, d);
        if (!second_pass) add_sides(work, i, t);
        for (int f = 0; f < MEANS; f++) {
            vb_spread_cell *its = &work->cells[f][cell];
            its->class = class;
            double off = second_pass ? d[f] - its->sum / (double)its->images : 0;
            its->squares += off * off;
            if (second_pass) continue;
            its->images++;
            its->sum += d[f];
        }
        for (int g = 0; g < h && second_pass; g++) {
            int before = work->cell_at[a->memberships->offsets[class] + g], u = before < 0 ? -1 : work->of_cell[before];
            if (u < 0 || !work->cells[0][before].images) continue;
            differences_of(work, i, u, other);
            for (int f = 0; f < MEANS; f++) {
                const vb_spread_cell *x = &work->cells[f][cell], *y = &work->cells[f][before];
                vb_spread_cross *cross = &work->crosses[f][vb_label_space_pair(work->cross_at, class, g, h)];
                *cross = (vb_spread_cross){class, u, t, x->images, cross->products};
                cross->products += (d[f] - x->sum / (double)x->images) * (other[f] - y->sum / (double)y->images);
            }
        }
    }
}

/* ---- figures of vocabularies ---- */

/* The side's figure of t when u is no longer there; N: its own number of vocabularies. */
static double side_without(const errors_work *work, int s, int f, int t, int u) {
    const side_sums *sums = &work->sums[s][t];
    const double images = (double)sums->images, n = work->pairs->side[s].space->vocabularies;
    double e = (sums->e + work->relief[s][(size_t)t * (size_t)work->pairs->vocabularies + (size_t)u]) / images;
    if (f == VB_ACC_C) return sums->c / images;
    if (f == VB_ACC_E) return e;
    return n > 2 ? ((n - 1) * e - sums->c / images) / (n - 2) : NAN;
}

static void take(double to[VB_SPREAD_KINDS], const vb_spread *spread) { memcpy(to, spread->error, sizeof spread->error); }

static int errors_of_means(errors_work *work, int f, vb_error *err) {
    const int classes = work->pairs->side[0].space->classes;
    const size_t n = (size_t)work->pairs->vocabularies;
    const vb_spread_table table = {(int)n, classes, work->offsets, work->cells[f], work->crosses[f], work->cross_at[classes],
                                   NULL};
    vb_spread spread;
    for (size_t u = 0; u < n; u++) {
        work->without[u] = 0;
        for (size_t t = 0; t < n; t++) {
            double difference = side_without(work, 1, f, (int)t, (int)u) - side_without(work, 0, f, (int)t, (int)u);
            work->deleted[u * n + t] = difference;
            if (t != u) work->without[u] += difference;
        }
        work->without[u] /= (double)(n - 1);
    }
    if (vb_spread_of_mean(&spread, &table, work->without, (int)n, err)) return -1;
    take(work->errors->figure[f], &spread);
    for (size_t t = 0; t < n; t++) {
        int others = 0;
        for (size_t u = 0; u < n; u++)
            if (u != t) work->without[others++] = work->deleted[u * n + t];
        vb_spread_of_vocabulary(&spread, &table, (int)t, work->without, others);
        take(work->errors->vocabulary[t][f], &spread);
    }
    return 0;
}

/* ---- shares of images ---- */

/* Right among all classes; without vocabulary u of both where u >= 0. */
static int right_among_all(const errors_work *work, int s, int64_t i, int u) {
    const vb_judged *side = &work->pairs->side[s];
    const int64_t image = work->pairs->image[s][i];
    if (u < 0) return side->right[image];
    const int gone = work->pairs->place[s][u], n = side->space->vocabularies;
    int beaten = 0;
    for (int v = 0; v < n; v++) beaten |= v != gone && side->beaten[image * n + v];
    return !beaten;
}

/* The difference among all classes without u, whose own classes' images leave. */
static double all_without(const errors_work *work, int u) {
    const vb_judged *a = &work->pairs->side[0];
    int64_t images = 0, difference = 0;
    for (int64_t i = 0; i < work->pairs->count; i++) {
        int count;
        const int *of = memberships_of(a, a->label[work->pairs->image[0][i]], &count);
        if (count == 1 && of[0] == work->pairs->place[0][u]) continue;
        images++;
        difference += right_among_all(work, 1, i, u) - right_among_all(work, 0, i, u);
    }
    return images ? (double)difference / (double)images : NAN;
}

static int own_right(const errors_work *work, int s, int64_t i) {
    const vb_judged *side = &work->pairs->side[s];
    const int64_t image = work->pairs->image[s][i];
    int own = side->memberships->vocabularies[side->memberships->offsets[side->label[image]]];
    return vb_judged_scores(side, image, own).c > 0;
}

/* The errors of a figure whose images are in one pot. v: which vocabulary they are of, -1 for all. */
static void errors_of_images(errors_work *work, double out[VB_SPREAD_KINDS], bool own, int v, int count) {
    const vb_judged *a = &work->pairs->side[0];
    const int classes = a->space->classes, offsets[] = {0, classes};
    vb_spread_cell *cells = work->cells[VB_TOP1_ALL];
    memset(cells, 0, (size_t)classes * sizeof *cells);
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < work->pairs->count; i++) {
            int class = a->label[work->pairs->image[0][i]];
            vb_spread_cell *cell = &cells[class];
            if (v >= 0 && !is_in_both(work, i, v)) continue;
            double d = own ? own_right(work, 1, i) - own_right(work, 0, i) :
                             right_among_all(work, 1, i, -1) - right_among_all(work, 0, i, -1);
            if (pass) {
                double off = d - cell->sum / (double)cell->images;
                cell->squares += off * off;
            } else *cell = (vb_spread_cell){class, cell->images + 1, cell->sum + d, 0};
        }
    const vb_spread_table table = {1, classes, offsets, cells, NULL, 0, NULL};
    vb_spread spread;
    vb_spread_of_vocabulary(&spread, &table, 0, work->without, count);
    take(out, &spread);
}

int vb_difference_errors_new(vb_difference_errors *errors, const vb_judged_pairs *pairs, vb_error *err) {
    const int n = pairs->vocabularies;
    errors_work work = {.errors = errors, .pairs = pairs};
    *errors = (vb_difference_errors){.vocabulary = NULL};
    int status = -1;
    if ((errors->vocabulary = vb_array((size_t)n, sizeof *errors->vocabulary, "errors of differences", err)))
        status = work_new(&work, err);
    for (int pass = 0; pass < 2 && !status; pass++)
        for (int64_t i = 0; i < pairs->count; i++) add_image(&work, i, pass);
    for (int f = VB_ACC_C; f <= VB_ACC_S && !status; f++) status = errors_of_means(&work, f, err);
    for (int u = 0; u < n && !status; u++) work.without[u] = all_without(&work, u);
    if (!status) {
        errors_of_images(&work, errors->figure[VB_TOP1_ALL], false, -1, n);
        errors_of_images(&work, errors->own, true, -1, 0);
        for (int v = 0; v < n; v++) errors_of_images(&work, errors->vocabulary[v][VB_TOP1_ALL], false, v, 0);
    }
    work_free(&work);
    return status;
}

void vb_difference_errors_free(vb_difference_errors *errors) {
    vb_free(errors->vocabulary);
    *errors = (vb_difference_errors){.vocabulary = NULL};
}
