/* Weights of sets of vocabularies, summed over subsets; scores by kind of image; strata of images of the same vocabularies. */
#include "kernels/openness/union_errors.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/subsets.h"
#include "kernels/openness/tally_internal.h"

/* The images of a class that are of the same vocabularies. */
typedef struct stratum_cell {
    uint32_t members;
    vb_spread_cell cell;
} stratum_cell;

typedef struct union_work {
    int n;
    int64_t *count;  /* summed over subsets: images all of whose vocabularies are in S */
    double *missing; /* of S: the weights of the sets that miss it */
    stratum_cell *cells;
    size_t cell_count;
    vb_spread_cell *spread_cells;
    int *offsets; /* of the strata */
    double *weights;
    int strata;
} union_work;

/* ---- weights ---- */

static int make_weights(union_work *work, const vb_tally *tally, vb_error *err) {
    const int n = work->n;
    const size_t sets = (size_t)1 << n, all = sets - 1;
    if (!(work->count = vb_array(sets, sizeof *work->count, "sets of vocabularies", err))) return -1;
    if (!(work->missing = vb_array(sets, sizeof *work->missing, "sets of vocabularies", err))) return -1;
    double of_size[VB_SUBSETS_MAX + 1] = {0}, choices = 1; /* C(n, size) */
    for (int size = 1; size <= n; size++) {
        choices = choices * (n - size + 1) / size;
        of_size[size] = 1 / (n * choices);
    }
    vb_tally_count_by_set(tally, work->count);
    vb_subsets_sums(work->count, n);
    for (size_t set = 1; set <= all; set++) {
        const int64_t images = work->count[all] - work->count[all ^ set];
        assert(images > 0); /* or deletions() would have failed */
        work->missing[set] = of_size[__builtin_popcountll(set)] / (double)images;
    }
    /* Sums over subsets, then of the complement. */
    for (size_t bit = 1; bit < sets; bit *= 2)
        for (size_t start = bit; start < sets; start += 2 * bit)
            for (size_t set = start; set < start + bit; set++) work->missing[set] += work->missing[set - bit];
    for (size_t set = 0; set < sets / 2; set++) {
        double other = work->missing[all ^ set];
        work->missing[all ^ set] = work->missing[set];
        work->missing[set] = other;
    }
    return 0;
}

/* ---- scores ---- */

static double score_of(const union_work *work, const vb_harm_kind *kind) {
    double right = 0;
    for (int e = 0; e < kind->events; e++) right += work->missing[kind->sets[2 * e]] - work->missing[kind->sets[2 * e + 1]];
    return right / (work->missing[0] - work->missing[kind->members]);
}

/* Kinds come by class, then by members: a cell is a run of them. Squares by a second pass over it. */
static int make_cells(union_work *work, const vb_harm_sets *table, vb_error *err) {
    vb_harm_kind kind;
    size_t at = 0, begin = 0, kinds = 0;
    while (vb_harm_sets_next(table, &at, &kind)) kinds++;
    if (!(work->cells = vb_array(kinds, sizeof *work->cells, "standard errors", err))) return -1;
    for (; begin < table->used; begin = at) {
        stratum_cell *its = &work->cells[work->cell_count++];
        size_t next = begin;
        vb_harm_sets_next(table, &next, &kind);
        *its = (stratum_cell){kind.members, {.class = kind.class}};
        for (int pass = 0; pass < 2; pass++)
            for (at = next = begin; vb_harm_sets_next(table, &next, &kind); at = next) {
                if (kind.class != its->cell.class || kind.members != its->members) break;
                const double score = score_of(work, &kind), images = (double)kind.images;
                if (pass) {
                    const double off = score - its->cell.sum / (double)its->cell.images;
                    its->cell.squares += images * off * off;
                } else {
                    its->cell.images += kind.images;
                    its->cell.sum += images * score;
                }
            }
    }
    return 0;
}

static int by_members(const void *a, const void *b) {
    const stratum_cell *x = a, *y = b;
    if (x->members != y->members) return x->members < y->members ? -1 : 1;
    return (x->cell.class > y->cell.class) - (x->cell.class < y->cell.class);
}

static int make_strata(union_work *work, vb_error *err) {
    const size_t count = work->cell_count;
    qsort(work->cells, count, sizeof *work->cells, by_members);
    if (!(work->spread_cells = vb_array(count, sizeof *work->spread_cells, "standard errors", err))) return -1;
    if (!(work->offsets = vb_array(count + 1, sizeof *work->offsets, "standard errors", err))) return -1;
    if (!(work->weights = vb_array(count, sizeof *work->weights, "standard errors", err))) return -1;
    for (size_t i = 0; i < count; i++) {
        const stratum_cell *its = &work->cells[i];
        if (!i || its->members != its[-1].members) work->strata++;
        work->spread_cells[i] = its->cell;
        work->offsets[work->strata] = (int)i + 1;
        work->weights[work->strata - 1] += (double)its->cell.images * (work->missing[0] - work->missing[its->members]);
    }
    return 0;
}

/* ---- every vocabulary deleted once ---- */

static int deletions(double *without, const vb_tally *tally, vb_error *err) {
    const int n = tally->vocabularies;
    const size_t sets = (size_t)1 << n;
    int64_t *right = vb_array(sets, sizeof *right, "sets of vocabularies", err),
            *count = right ? vb_array(sets, sizeof *count, "sets of vocabularies", err) : NULL;
    int status = count ? 0 : -1;
    if (!status) {
        memcpy(right, tally->subsets, sets * sizeof *right);
        vb_tally_count_by_set(tally, count);
        status = vb_subsets_means_without(without, right, count, n, err);
    }
    vb_free(right);
    vb_free(count);
    return status;
}

int vb_union_errors(vb_spread *out, const vb_tally *tally, double value, vb_error *err) {
    union_work work = {.n = tally->vocabularies};
    double without[VB_SUBSETS_MAX];
    int status = 0;
    *out = vb_spread_none;
    if (work.n < 2) return 0;
    if (deletions(without, tally, err)) return -1;
    if (!vb_tally_has_harm_sets(tally)) {
        vb_spread_of_deletions(out, value, without, work.n);
        return 0;
    }
    status = make_weights(&work, tally, err);
    if (!status) status = make_cells(&work, &tally->harm_sets, err);
    if (!status) status = make_strata(&work, err);
    if (!status) {
        const vb_spread_table table = {.vocabularies = work.strata,
                                       .classes = tally->classes,
                                       .offsets = work.offsets,
                                       .cells = work.spread_cells,
                                       .weights = work.weights};
        status = vb_spread_of_mean(out, &table, without, work.n, err);
    }
    vb_free(work.count);
    vb_free(work.missing);
    vb_free(work.cells);
    vb_free(work.spread_cells);
    vb_free(work.offsets);
    vb_free(work.weights);
    return status;
}
