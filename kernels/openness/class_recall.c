/* Accuracy at 5 as the mean of one pot of images, recall as the mean over classes, from counts by class. */
#include "kernels/openness/class_recall.h"

#include <math.h>
#include <stddef.h>

#include "kernels/base/memory.h"

/* deletion: 0 for all vocabularies, else one more than that which is gone. */
static const int64_t *row_of(const vb_recall_counts *its, int class, int deletion) {
    return its->counts + ((size_t) class * vb_class_recall_rows(its->deletions) + (size_t)deletion) * VB_RECALL_COUNTS;
}

static double value_of(const vb_recall_counts *its, vb_recall_figure figure, int deletion) {
    int64_t images = 0, right = 0;
    double sum = 0;
    int classes = 0;
    for (int c = 0; c < its->classes; c++) {
        const int64_t *row = row_of(its, c, deletion);
        if (!row[VB_RECALL_IMAGES]) continue;
        images += row[VB_RECALL_IMAGES];
        right += row[VB_RECALL_AT_TOP];
        sum += (double)row[figure == VB_RECALL_MEAN ? VB_RECALL_AT_1 : VB_RECALL_AT_TOP] / (double)row[VB_RECALL_IMAGES];
        classes++;
    }
    if (!images) return NAN;
    return figure == VB_RECALL_TOP_ALL ? (double)right / (double)images : sum / classes;
}

/* Cells of the classes that have images; how many. */
static int fill_cells(vb_spread_cell *cells, const vb_recall_counts *its, vb_recall_figure figure) {
    int used = 0;
    for (int c = 0; c < its->classes; c++) {
        const int64_t *row = row_of(its, c, 0);
        const double n = (double)row[VB_RECALL_IMAGES],
                     right = (double)row[figure == VB_RECALL_MEAN ? VB_RECALL_AT_1 : VB_RECALL_AT_TOP];
        if (row[VB_RECALL_IMAGES]) cells[used++] = (vb_spread_cell){c, row[VB_RECALL_IMAGES], right, right * (n - right) / n};
    }
    return used;
}

int vb_class_recall(vb_recall *out, const vb_recall_counts *counts, vb_error *err) {
    const size_t classes = (size_t)counts->classes;
    vb_spread_cell *cells = vb_array(classes, sizeof *cells, "recall of classes", err);
    int *offsets = vb_array(classes + 1, sizeof *offsets, "recall of classes", err), status = cells && offsets ? 0 : -1;
    double *without = vb_array((size_t)counts->deletions + 1, sizeof *without, "recall of classes", err);
    if (!without) status = -1;
    for (int f = 0; f < VB_RECALL_FIGURES && !status; f++) {
        const int used = fill_cells(cells, counts, f);
        out->value[f] = value_of(counts, f, 0);
        out->errors[f] = vb_spread_none;
        if (!used) continue;
        for (int u = 0; u < counts->deletions; u++) without[u] = value_of(counts, f, u + 1);
        if (f == VB_RECALL_TOP_ALL) { /* one vocabulary of all classes */
            int64_t images = 0, right = 0;
            for (int i = 0; i < used; i++) images += cells[i].images, right += (int64_t)cells[i].sum;
            const vb_spread_table table = {1, counts->classes, (const int[]){0, used}, cells, NULL, 0, NULL};
            vb_spread_of_vocabulary(&out->errors[f], &table, 0, without, counts->deletions);
            vb_spread_wilson(right, images, out->wilson);
        } else { /* each class a vocabulary of one */
            for (int i = 0; i <= used; i++) offsets[i] = i;
            const vb_spread_table table = {used, counts->classes, offsets, cells, NULL, 0, NULL};
            status = vb_spread_of_mean(&out->errors[f], &table, without, counts->deletions, err);
        }
    }
    if (!status && isnan(out->value[VB_RECALL_TOP_ALL])) out->wilson[0] = out->wilson[1] = NAN;
    vb_free(cells);
    vb_free(offsets);
    vb_free(without);
    return status;
}
