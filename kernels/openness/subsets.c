/* The zeta transform over subsets, and the mean of a ratio over all of them. */
#include "kernels/openness/subsets.h"

#include <assert.h>
#include <stddef.h>

void vb_subsets_sums(int64_t *f, int n) {
    assert(n >= 0 && n <= VB_SUBSETS_MAX);
    size_t sets = (size_t)1 << n;
    for (size_t bit = 1; bit < sets; bit *= 2)
        for (size_t start = bit; start < sets; start += 2 * bit)
            for (size_t set = start; set < start + bit; set++) f[set] += f[set - bit];
}

int vb_subsets_mean(double *mean, int64_t *right, int64_t *count, int n, vb_error *err) {
    if (n < 1 || n > VB_SUBSETS_MAX)
        return vb_errorf(err, VB_EINTERNAL, "subsets of %d vocabularies, at most %d are handled", n, VB_SUBSETS_MAX);
    size_t all = ((size_t)1 << n) - 1;
    vb_subsets_sums(right, n);
    vb_subsets_sums(count, n);
    double sum[VB_SUBSETS_MAX + 1] = {0}, sets[VB_SUBSETS_MAX + 1] = {0};
    for (size_t set = 1; set <= all; set++) {
        int64_t images = count[all] - count[all ^ set];
        if (images <= 0) return vb_errorf(err, VB_EDATA, "no images in the vocabularies of set %#zx", set);
        int size = __builtin_popcountll(set);
        sum[size] += (double)right[all ^ set] / (double)images;
        sets[size]++;
    }
    *mean = 0;
    for (int size = 1; size <= n; size++) *mean += sum[size] / sets[size];
    *mean /= n;
    return 0;
}

int vb_subsets_means_without(double *means, int64_t *right, int64_t *count, int n, vb_error *err) {
    if (n < 2 || n > VB_SUBSETS_MAX)
        return vb_errorf(err, VB_EINTERNAL, "subsets of %d vocabularies less one, 2 to %d are handled", n, VB_SUBSETS_MAX);
    size_t all = ((size_t)1 << n) - 1;
    double sum[VB_SUBSETS_MAX][VB_SUBSETS_MAX] = {{0}}, sets[VB_SUBSETS_MAX] = {0}; /* by vocabulary and size; by size */
    vb_subsets_sums(right, n);
    vb_subsets_sums(count, n);
    for (size_t set = 1; set < all; set++) {
        int64_t images = count[all] - count[all ^ set];
        if (images <= 0) return vb_errorf(err, VB_EDATA, "no images in the vocabularies of set %#zx", set);
        int size = __builtin_popcountll(set);
        double share = (double)right[all ^ set] / (double)images;
        for (size_t rest = all ^ set; rest; rest &= rest - 1) sum[__builtin_ctzll(rest)][size] += share;
        sets[size] += set < (size_t)1 << (n - 1); /* those without the last vocabulary: as many as without any other */
    }
    for (int u = 0; u < n; u++) {
        means[u] = 0;
        for (int size = 1; size < n; size++) means[u] += sum[u][size] / sets[size];
        means[u] /= n - 1;
    }
    return 0;
}
