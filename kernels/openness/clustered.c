/* Sign flips of cluster sums, and Holm's correction. */
#include "kernels/openness/clustered.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/base/memory.h"

int vb_clustered_sign_flips(vb_flip_test *out, const double *differences, const int *cluster, int64_t n, int clusters,
                            const vb_flip_drawing *drawing, vb_error *err) {
    double *sums = vb_array((size_t)clusters, sizeof *sums, "sums by class", err),
           *magnitudes = sums ? vb_array((size_t)clusters, sizeof *magnitudes, "sums by class", err) : NULL;
    int status = magnitudes ? 0 : -1;
    for (int64_t i = 0; i < n && !status; i++) {
        sums[cluster[i]] += differences[i];
        magnitudes[cluster[i]] += fabs(differences[i]);
    }
    for (int c = 0; c < clusters && !status; c++)
        if (fabs(sums[c]) < 1e-12 * magnitudes[c]) sums[c] = 0;
    if (!status) status = vb_paired_sign_flips(out, sums, clusters, drawing->trials, drawing->seed, err);
    vb_free(sums);
    vb_free(magnitudes);
    return status;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int vb_clustered_holm(double *adjusted, const double *p, int n, vb_error *err) {
    double *sorted = vb_array((size_t)n, sizeof *sorted, "p-values", err);
    int count = 0;
    if (!sorted) return -1;
    for (int i = 0; i < n; i++)
        if (!isnan(p[i])) sorted[count++] = p[i];
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    for (int i = 0; i < n; i++) {
        adjusted[i] = isnan(p[i]) ? NAN : 0;
        for (int k = 0; k < count && sorted[k] <= p[i]; k++) {
            double value = (count - k) * sorted[k];
            if (value > adjusted[i]) adjusted[i] = value < 1 ? value : 1;
        }
    }
    vb_free(sorted);
    return 0;
}
