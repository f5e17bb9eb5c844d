/* Cells of shares from counts, and means with a vocabulary less. */
#include "kernels/openness/shares.h"

#include "kernels/base/memory.h"

static vb_spread_cell cell_of(int class, int64_t images, int64_t right) {
    vb_spread_cell cell = {class, images, (double)right, 0};
    if (images) cell.squares = (double)right * (double)(images - right) / (double)images;
    return cell;
}

/* Cells, and crosses of classes in several vocabularies; how many of the latter. */
static int64_t fill_table(vb_spread_cell *cells, vb_spread_cross *crosses, const vb_share_counts *counts) {
    const vb_memberships *memberships = counts->memberships;
    int64_t crossed = 0;
    for (int c = 0; c < counts->space->classes; c++) {
        const int first = memberships->offsets[c], count = memberships->offsets[c + 1] - first;
        const int *slots = memberships->slots + first, *of = memberships->vocabularies + first;
        for (int h = 0; h < count; h++) cells[slots[h]] = cell_of(c, counts->images[slots[h]], counts->right[slots[h]]);
        for (int j = 1; j < count && counts->both; j++)
            for (int i = 0; i < j; i++) {
                const int64_t images = counts->images[slots[i]];
                double products = (double)counts->both[vb_label_space_pair(counts->pairs, c, i, j)];
                if (images) products -= cells[slots[i]].sum * cells[slots[j]].sum / (double)images;
                crosses[crossed++] = (vb_spread_cross){c, of[i], of[j], images, products};
            }
    }
    return crossed;
}

int vb_shares_errors(vb_spread *mean, vb_spread *each, const vb_share_counts *counts, vb_error *err) {
    const vb_label_space *space = counts->space;
    const int n = space->vocabularies;
    const size_t entries = (size_t)space->offsets[n], pairs = counts->both ? (size_t)counts->pairs[space->classes] : 0;
    vb_spread_cell *cells = vb_array(entries, sizeof *cells, "standard errors", err);
    vb_spread_cross *crosses = vb_array(pairs, sizeof *crosses, "standard errors", err);
    double *share = vb_array((size_t)n, sizeof *share, "standard errors", err),
           *without = vb_array((size_t)n, sizeof *without, "standard errors", err), sum = 0;
    int status = cells && crosses && share && without ? 0 : -1;
    if (!status) {
        const vb_spread_table table = {.vocabularies = n,
                                       .classes = space->classes,
                                       .offsets = space->offsets,
                                       .cells = cells,
                                       .crosses = crosses,
                                       .cross_count = fill_table(cells, crosses, counts)};
        for (int t = 0; t < n; t++) {
            int64_t images = 0, right = 0;
            for (int i = space->offsets[t]; i < space->offsets[t + 1]; i++) {
                images += counts->images[i];
                right += counts->right[i];
            }
            sum += share[t] = (double)right / (double)images;
        }
        for (int u = 0; u < n; u++) without[u] = (sum - share[u]) / (n - 1);
        status = vb_spread_of_mean(mean, &table, without, n, err);
        for (int t = 0; t < n && !status; t++) {
            for (int u = 0; u < n; u++) without[u] = share[t]; /* whichever of the others goes */
            vb_spread_of_vocabulary(&each[t], &table, t, without, n - 1);
        }
    }
    vb_free(cells);
    vb_free(crosses);
    vb_free(share);
    vb_free(without);
    return status;
}

int vb_shares_of_images(vb_spread *out, const int64_t *images, const int64_t *right, int classes, vb_error *err) {
    const int offsets[] = {0, classes};
    vb_spread_cell *cells = vb_array((size_t)classes, sizeof *cells, "standard errors", err);
    if (!cells) return -1;
    for (int c = 0; c < classes; c++) cells[c] = cell_of(c, images[c], right[c]);
    const vb_spread_table table = {.vocabularies = 1, .classes = classes, .offsets = offsets, .cells = cells};
    vb_spread_of_vocabulary(out, &table, 0, NULL, 0);
    vb_free(cells);
    return 0;
}
