/* Standard errors of the openness figures: cells of classes and vocabularies from counts, and every vocabulary deleted once. */
#include "kernels/openness/figure_errors.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/base/memory.h"
#include "kernels/openness/tally_internal.h"
#include "kernels/openness/union_errors.h"

typedef struct errors_work {
    const vb_tally *tally;
    const vb_openness_result *result;
    vb_spread_cell *cells; /* an entry of the label space each; of top1_all: a class each */
    vb_spread_cross *crosses;
    int64_t cross_count;
    double *score;   /* by b: of an image that is right within its vocabulary */
    double *without; /* N: a figure's values with one vocabulary deleted */
    double *deleted; /* N x N: [u * N + t] vocabulary t's with u deleted */
} errors_work;

static void set_scores(double *score, int figure, int n) {
    for (int b = 0; b < n; b++)
        score[b] = figure == VB_ACC_C ? 1 :
                   figure == VB_ACC_E ? 1.0 / (b + 1) :
                                        (double)(n - 1 - b) / ((double)(n - 1) * (b + 1));
}

/* Of the class's images, of which harm[b] have that score and the rest 0. */
static vb_spread_cell cell_of(int class, int64_t images, const int64_t *harm, const double *score, int n) {
    vb_spread_cell cell = {class, images, 0, 0};
    int64_t rest = images;
    if (!images) return cell;
    for (int b = 0; b < n; b++) cell.sum += (double)harm[b] * score[b];
    double mean = cell.sum / (double)images;
    for (int b = 0; b < n; b++) {
        cell.squares += (double)harm[b] * (score[b] - mean) * (score[b] - mean);
        rest -= harm[b];
    }
    cell.squares += (double)rest * mean * mean;
    return cell;
}

/* What images with sets of right classes add to the cell of an entry: those that are kept right and rescued by another vocabulary
 * (kernels/openness/openness.h), and their squares. */
static void add_sets(vb_spread_cell *cell, const vb_tally *tally, const errors_work *work, int figure, int entry) {
    const int n = tally->vocabularies;
    const int64_t *kept = tally->of_sets.kept + (size_t)entry * (size_t)n,
                  *rescued = tally->of_sets.rescued + (size_t)entry * (size_t)n;
    double extra = 0, before = cell->images ? cell->sum * cell->sum / (double)cell->images : 0;
    if (figure == VB_ACC_C || !cell->images) return;
    for (int b = 0; b < n; b++) {
        double rescue = 1 / ((b + 1.0) * (b + 2));
        extra += (double)kept[b] * work->score[b] + (double)rescued[b] * (figure == VB_ACC_E ? rescue : n * rescue / (n - 1));
    }
    int64_t squares = (figure == VB_ACC_E ? tally->of_sets.squares_e : tally->of_sets.squares_s)[entry];
    cell->sum += extra;
    cell->squares += before + ldexp((double)squares, -VB_SET_SQUARE_BITS) - cell->sum * cell->sum / (double)cell->images;
    if (cell->squares < vb_tally_squares_rounding(cell->images)) cell->squares = 0;
}

/* The cells and crosses of a figure of vocabularies. */
static vb_spread_table table_of(errors_work *work, int figure) {
    const vb_tally *tally = work->tally;
    const vb_memberships *memberships = &tally->memberships;
    const int n = tally->vocabularies;
    work->cross_count = 0;
    for (int c = 0; c < tally->classes; c++) {
        const int *slots = memberships->slots + memberships->offsets[c],
                  *of = memberships->vocabularies + memberships->offsets[c],
                  count = memberships->offsets[c + 1] - memberships->offsets[c];
        for (int h = 0; h < count; h++) {
            const int64_t *harm = tally->harm + (size_t)slots[h] * (size_t)n;
            work->cells[slots[h]] = cell_of(c, vb_tally_entry_images(tally, c, slots[h]), harm, work->score, n);
            if (tally->sets) add_sets(&work->cells[slots[h]], tally, work, figure, slots[h]);
        }
        for (int j = 1; j < count; j++)
            for (int i = 0; i < j; i++) {
                const int64_t *both = vb_tally_joint(tally, c, i, j);
                double products = 0;
                for (int b = 0; b < n; b++) products += (double)both[b] * work->score[b] * work->score[b];
                if (tally->images[c])
                    products -= work->cells[slots[i]].sum * work->cells[slots[j]].sum / (double)tally->images[c];
                work->crosses[work->cross_count++] = (vb_spread_cross){c, of[i], of[j], tally->images[c], products};
            }
    }
    return (vb_spread_table){n, tally->classes, tally->offsets, work->cells, work->crosses, work->cross_count, NULL};
}

/* Entries of one vocabulary, and the figures of their images. */
typedef struct rivalled {
    int first, end;
    int64_t images;
    double acc_c, acc_e;
} rivalled;

/* Acc-C, Acc-E or Acc-S when u is no longer there. Acc-S from the other two: N Acc-E = Acc-C + M Acc-S. */
static double deleted_figure(const errors_work *work, int figure, const rivalled *its, int u) {
    const double n = work->tally->vocabularies;
    if (figure == VB_ACC_C) return its->acc_c;
    double e = its->acc_e + vb_tally_relief(work->tally, its->first, its->end, u) / (double)its->images;
    if (figure == VB_ACC_E) return e;
    return n > 2 ? ((n - 1) * e - its->acc_c) / (n - 2) : NAN;
}

static double vocabulary_without(const errors_work *work, int figure, int t, int u) {
    const vb_vocabulary_openness *its = &work->result->vocabulary[t];
    const int *entries = work->tally->offsets + t;
    return deleted_figure(work, figure, &(rivalled){entries[0], entries[1], its->images, its->acc_c, its->acc_e}, u);
}

/* A class is its images, and a table of one cell: no other class to compare it with. */
static void class_errors(vb_class_errors *errors, errors_work *work, const vb_spread_table *all, int figure, int c) {
    const vb_memberships *memberships = &work->tally->memberships;
    const vb_class_openness *its = &work->result->class[c];
    const int at = memberships->offsets[c], offsets[] = {0, 1};
    vb_spread spread = vb_spread_none;
    if (its->images) {
        const int entry = memberships->slots[at], t = memberships->vocabularies[at];
        const rivalled class = {entry, entry + 1, its->images, its->acc_c, its->acc_e};
        const vb_spread_table table = {1, all->classes, offsets, &all->cells[entry], NULL, 0, NULL};
        int others = 0;
        for (int u = 0; u < work->tally->vocabularies; u++)
            if (u != t) work->without[others++] = deleted_figure(work, figure, &class, u);
        vb_spread_of_vocabulary(&spread, &table, 0, work->without, others);
    }
    memcpy(errors->error[figure], spread.error, sizeof spread.error);
}

static int figure_errors(vb_figure_errors *errors, errors_work *work, int figure, vb_error *err) {
    const int n = work->tally->vocabularies;
    set_scores(work->score, figure, n);
    const vb_spread_table table = table_of(work, figure);
    for (int u = 0; u < n; u++) {
        work->without[u] = 0;
        for (int t = 0; t < n; t++)
            if (t != u)
                work->without[u] += work->deleted[(size_t)u * (size_t)n + (size_t)t] = vocabulary_without(work, figure, t, u);
        work->without[u] /= n - 1;
    }
    if (vb_spread_of_mean(&errors->figure[figure], &table, work->without, n, err)) return -1;
    for (int t = 0; t < n; t++) {
        int others = 0;
        for (int u = 0; u < n; u++)
            if (u != t) work->without[others++] = work->deleted[(size_t)u * (size_t)n + (size_t)t];
        vb_spread_of_vocabulary(&errors->vocabulary[t].figure[figure], &table, t, work->without, others);
    }
    for (int c = 0; c < table.classes; c++) class_errors(&errors->class[c], work, &table, figure, c);
    return 0;
}

/* Among all classes without u: the images of its own classes leave, and those become right that it alone beats. */
static double top1_without(const errors_work *work, int u) {
    const vb_tally *tally = work->tally;
    const int *of_class = tally->memberships.offsets;
    int64_t images = work->result->images, right = *tally->unbeaten + tally->sole[u];
    if (tally->sets) {
        images = tally->of_sets.left[2 * u];
        right = tally->of_sets.left[2 * u + 1];
    }
    for (int i = tally->offsets[u]; i < tally->offsets[u + 1] && !tally->sets; i++) {
        int c = work->cells[i].class; /* of the tables before */
        if (of_class[c + 1] - of_class[c] > 1) continue;
        images -= tally->images[c];
        right -= tally->harm[(size_t)i * (size_t)tally->vocabularies];
    }
    return images ? (double)right / (double)images : NAN;
}

/* Among all classes, over images: one table of all classes. */
static void top1_errors(vb_figure_errors *errors, errors_work *work) {
    const vb_tally *tally = work->tally;
    const vb_memberships *memberships = &tally->memberships;
    const int n = tally->vocabularies, offsets[] = {0, tally->classes};
    const double one = 1;
    errors->figure[VB_TOP1_ALL] = vb_spread_none;
    vb_spread_wilson(*tally->unbeaten, work->result->images, errors->wilson);
    for (int u = 0; u < n; u++) work->without[u] = top1_without(work, u);
    for (int c = 0; c < tally->classes; c++) {
        int64_t images = tally->images[c], right = 0;
        if (tally->sets) {
            images = tally->of_sets.once[2 * c];
            right = tally->of_sets.once[2 * c + 1];
        } else if (memberships->offsets[c] < memberships->offsets[c + 1])
            right = tally->harm[(size_t)memberships->slots[memberships->offsets[c]] * (size_t)n];
        work->cells[c] = cell_of(c, images, &right, &one, 1); /* no vocabulary beats them, their own included */
    }
    const vb_spread_table table = {1, tally->classes, offsets, work->cells, NULL, 0, NULL};
    vb_spread_of_vocabulary(&errors->figure[VB_TOP1_ALL], &table, 0, work->without, n);
}

static int union_errors(vb_figure_errors *errors, errors_work *work, vb_error *err) {
    const char *method = work->result->union_method;
    errors->over_union = vb_spread_none;
    if (!strcmp(method, "closed form")) errors->over_union = errors->figure[VB_ACC_E];
    return strcmp(method, "subsets") ? 0 : vb_union_errors(&errors->over_union, work->tally, work->result->acc_e_union, err);
}

/* Wilson's intervals of the shares of images. */
static void wilson_intervals(vb_figure_errors *errors, const vb_openness_result *result) {
    for (int t = 0; t < result->vocabularies; t++) {
        int64_t right = 0;
        for (int b = 0; b < result->vocabularies; b++) right += result->vocabulary[t].harm_histogram[b];
        vb_spread_wilson(right, result->vocabulary[t].images, errors->vocabulary[t].wilson);
    }
    for (int c = 0; c < result->classes; c++) {
        double *wilson = errors->class[c].wilson;
        wilson[0] = wilson[1] = NAN;
        if (result->class[c].images) vb_spread_wilson(result->class[c].right, result->class[c].images, wilson);
    }
}

int vb_figure_errors_new(vb_figure_errors *errors, const vb_tally *tally, const vb_openness_result *result, vb_error *err) {
    const size_t n = (size_t)tally->vocabularies, classes = (size_t)tally->classes, entries = (size_t)tally->entries;
    errors_work work = {.tally = tally, .result = result};
    *errors = (vb_figure_errors){0};
    int status = -1;
    if (!(errors->vocabulary = vb_array(n, sizeof *errors->vocabulary, "standard errors", err))) goto done;
    if (!(errors->class = vb_array(classes, sizeof *errors->class, "standard errors", err))) goto done;
    if (!(work.cells = vb_array(entries > classes ? entries : classes, sizeof *work.cells, "standard errors", err))) goto done;
    if (!(work.crosses = vb_array((size_t)tally->pairs[classes], sizeof *work.crosses, "standard errors", err))) goto done;
    if (!(work.score = vb_array(n, sizeof *work.score, "standard errors", err))) goto done;
    if (!(work.without = vb_array(n, sizeof *work.without, "standard errors", err))) goto done;
    if (!(work.deleted = vb_array(n * n, sizeof *work.deleted, "standard errors", err))) goto done;
    status = 0;
    for (int f = VB_ACC_C; f <= VB_ACC_S && !status; f++) status = figure_errors(errors, &work, f, err);
    if (!status) top1_errors(errors, &work);
    if (!status) status = union_errors(errors, &work, err);
    if (!status) status = vb_curve_errors(&errors->curve, tally, result, err);
    if (!status) wilson_intervals(errors, result);
done:
    vb_free(work.cells);
    vb_free(work.crosses);
    vb_free(work.score);
    vb_free(work.without);
    vb_free(work.deleted);
    return status;
}

void vb_figure_errors_free(vb_figure_errors *errors) {
    vb_free(errors->vocabulary);
    vb_free(errors->class);
    vb_free(errors->curve);
    *errors = (vb_figure_errors){0};
}
