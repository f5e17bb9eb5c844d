/* Scores of the curve's points by b, cells of them by class, and each vocabulary deleted once. */
#include "kernels/openness/curve_errors.h"

#include <math.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/tally_internal.h"

/* The chance after i others of m to be right until one of b comes, and from one other's coming until one of b does; 0 .. m. */
typedef struct chances {
    int m;
    double *until, *rescue;
} chances;

typedef struct curve_work {
    const vb_tally *tally;
    const vb_openness_result *result;
    double *block;
    chances whole, less; /* with all vocabularies, and with one less */
    vb_spread_cell *cells;
    vb_spread_cross *crosses;
    double *plain;             /* N: a vocabulary's scores by `less`, no other being deleted */
    double *deleted, *without; /* [u * N + t]; N */
    int *ends;                 /* [2 (t * N + u)]: the first f with counts of t's that u ends, and the one behind the last */
} curve_work;

static void start(const chances *its, int n) {
    for (int b = 0; b < n; b++) {
        its->until[b] = b <= its->m;
        its->rescue[b] = 0;
    }
}

/* From i to i + 1: C(m-b, i) / C(m, i), and C(m-1-b, i-1) / C(m, i). */
static void advance(const chances *its, int n, int i) {
    const int m = its->m;
    for (int b = 0; b < n && i < m; b++) {
        its->until[b] *= (double)(b <= m - i ? m - b - i : 0) / (m - i);
        if (!i) its->rescue[b] = b < m ? 1.0 / m : 0;
        else its->rescue[b] *= (double)(b <= m - i ? m - b - i : 0) * (i + 1) / ((double)i * (m - i));
    }
}

/* ---- cells ---- */

static const int64_t *row_of(const int64_t *counts, const vb_tally *tally, int entry) {
    return counts + (size_t)entry * (size_t)tally->vocabularies;
}

/* Sum by `by` over an entry's images. */
static double sum_of(const vb_tally *tally, const chances *by, int entry) {
    const int64_t *harm = row_of(tally->harm, tally, entry);
    double sum = 0, extra = 0;
    for (int b = 0; b < tally->vocabularies; b++) sum += (double)harm[b] * by->until[b];
    if (!tally->sets) return sum;
    const int64_t *kept = row_of(tally->of_sets.kept, tally, entry), *rescued = row_of(tally->of_sets.rescued, tally, entry);
    for (int b = 0; b < tally->vocabularies; b++) extra += (double)kept[b] * by->until[b] + (double)rescued[b] * by->rescue[b];
    return sum + extra;
}

static bool is_crossed(const vb_tally *tally, int entry) {
    for (int b = 0; tally->sets && b < tally->vocabularies; b++)
        if (row_of(tally->of_sets.kept, tally, entry)[b] || row_of(tally->of_sets.rescued, tally, entry)[b]) return true;
    return false;
}

static vb_spread_cell cell_of(const curve_work *work, int class, int entry, int point) {
    const vb_tally *tally = work->tally;
    const int64_t *harm = row_of(tally->harm, tally, entry);
    vb_spread_cell cell = {.class = class, .images = vb_tally_entry_images(tally, class, entry)};
    int64_t rest = cell.images;
    if (!cell.images) return cell;
    cell.sum = sum_of(tally, &work->whole, entry);
    const double mean = cell.sum / (double)cell.images;
    for (int b = 0; b < tally->vocabularies; b++) {
        cell.squares += (double)harm[b] * (work->whole.until[b] - mean) * (work->whole.until[b] - mean);
        rest -= harm[b];
    }
    cell.squares += (double)rest * mean * mean;
    if (point && is_crossed(tally, entry)) cell.squares = NAN; /* the squares of chances that are sums are not counted */
    return cell;
}

static vb_spread_table table_at(curve_work *work, int point) {
    const vb_tally *tally = work->tally;
    const vb_memberships *memberships = &tally->memberships;
    const int n = tally->vocabularies;
    int64_t crosses = 0;
    for (int c = 0; c < tally->classes; c++) {
        const int first = memberships->offsets[c], count = memberships->offsets[c + 1] - first;
        const int *slots = memberships->slots + first, *of = memberships->vocabularies + first;
        for (int h = 0; h < count; h++) work->cells[slots[h]] = cell_of(work, c, slots[h], point);
        for (int j = 1; j < count; j++)
            for (int i = 0; i < j; i++) {
                const int64_t *both = vb_tally_joint(tally, c, i, j), images = tally->images[c];
                double products = 0;
                for (int b = 0; b < n; b++) products += (double)both[b] * work->whole.until[b] * work->whole.until[b];
                if (images) products -= work->cells[slots[i]].sum * work->cells[slots[j]].sum / (double)images;
                work->crosses[crosses++] = (vb_spread_cross){c, of[i], of[j], images, products};
            }
    }
    return (vb_spread_table){n, tally->classes, tally->offsets, work->cells, work->crosses, crosses, NULL};
}

/* ---- every vocabulary deleted once ---- */

/* Most vocabularies end few others' images: where there is anything to add is found once for all points. */
static void find_ends(curve_work *work) {
    const vb_tally *tally = work->tally;
    const size_t n = (size_t)tally->vocabularies;
    for (size_t row = 0; row < n * n; row++) {
        int *ends = work->ends + 2 * row;
        ends[0] = ends[1] = 0;
        for (size_t f = 0, at = row * n; f < n; f++, at++)
            if (tally->ends[at] || (tally->sets && (tally->of_sets.rescue_ends[at] || tally->of_sets.rescuers[at]))) {
                if (!ends[1]) ends[0] = (int)f;
                ends[1] = (int)f + 1;
            }
    }
}

/* What t's sum gains when u goes. */
static double gain_of(const curve_work *work, int t, int u) {
    const vb_tally *tally = work->tally;
    const size_t n = (size_t)tally->vocabularies, row = (size_t)t * n + (size_t)u, at = row * n;
    const double *until = work->less.until, *rescue = work->less.rescue;
    double gain = 0;
    for (int f = work->ends[2 * row]; f < work->ends[2 * row + 1]; f++) {
        if (f && tally->ends[at + (size_t)f]) gain += (double)tally->ends[at + (size_t)f] * (until[f - 1] - until[f]);
        if (!tally->sets) continue;
        if (f) gain += (double)tally->of_sets.rescue_ends[at + (size_t)f] * (rescue[f - 1] - rescue[f]);
        gain -= (double)tally->of_sets.rescuers[at + (size_t)f] * rescue[f];
    }
    return gain;
}

static void fill_deletions(curve_work *work, int point) {
    const vb_tally *tally = work->tally;
    const size_t n = (size_t)tally->vocabularies;
    for (size_t t = 0; t < n; t++) {
        work->plain[t] = 0;
        for (int i = tally->offsets[t]; i < tally->offsets[t + 1]; i++) work->plain[t] += sum_of(tally, &work->less, i);
    }
    for (size_t u = 0; u < n; u++) {
        work->without[u] = 0;
        for (size_t t = 0; t < n; t++) {
            if (t == u) continue;
            double value = (work->plain[t] + gain_of(work, (int)t, (int)u)) / (double)work->result->vocabulary[t].images;
            work->deleted[u * n + t] = point > work->less.m ? NAN : value;
            work->without[u] += work->deleted[u * n + t];
        }
        work->without[u] /= (double)n - 1;
    }
}

static int errors_at(double *out, curve_work *work, int point, vb_error *err) {
    const int n = work->tally->vocabularies;
    const size_t side = (size_t)n;
    const vb_spread_table table = table_at(work, point);
    vb_spread spread;
    fill_deletions(work, point);
    if (vb_spread_of_mean(&spread, &table, work->without, n, err)) return -1;
    memcpy(out + (size_t)point * VB_SPREAD_KINDS, spread.error, sizeof spread.error);
    for (size_t t = 0; t < side; t++) {
        int others = 0;
        for (size_t u = 0; u < side; u++)
            if (u != t) work->without[others++] = work->deleted[u * side + t];
        vb_spread_of_vocabulary(&spread, &table, (int)t, work->without, others);
        memcpy(out + ((1 + t) * side + (size_t)point) * VB_SPREAD_KINDS, spread.error, sizeof spread.error);
    }
    return 0;
}

int vb_curve_errors(double **out, const vb_tally *tally, const vb_openness_result *result, vb_error *err) {
    const int n = tally->vocabularies;
    const size_t side = (size_t)n;
    curve_work work = {.tally = tally, .result = result};
    int status = -1;
    *out = NULL;
    if (!tally->ends) return 0;
    double *errors = vb_array((side + 1) * side * VB_SPREAD_KINDS, sizeof *errors, "errors of the curve", err);
    if (!errors) goto done;
    if (!(work.block = vb_array(side * (side + 6), sizeof *work.block, "errors of the curve", err))) goto done;
    if (!(work.cells = vb_array((size_t)tally->entries, sizeof *work.cells, "errors of the curve", err))) goto done;
    if (!(work.crosses = vb_array((size_t)tally->pairs[tally->classes], sizeof *work.crosses, "errors of the curve", err)))
        goto done;
    if (!(work.ends = vb_array(2 * side * side, sizeof *work.ends, "errors of the curve", err))) goto done;
    find_ends(&work);
    work.whole = (chances){n - 1, work.block, work.block + side};
    work.less = (chances){n - 2, work.block + 2 * side, work.block + 3 * side};
    work.plain = work.block + 4 * side;
    work.without = work.block + 5 * side;
    work.deleted = work.block + 6 * side;
    start(&work.whole, n);
    start(&work.less, n);
    status = 0;
    for (int i = 0; i < n && !status; i++) {
        status = errors_at(errors, &work, i, err);
        advance(&work.whole, n, i);
        advance(&work.less, n, i);
    }
done:
    vb_free(work.block);
    vb_free(work.ends);
    vb_free(work.cells);
    vb_free(work.crosses);
    if (status) vb_free(errors);
    else *out = errors;
    return status;
}
