/* Softmax masses, separation of two groups of scores, calibration. */
#include "kernels/openness/confidence.h"

#include <math.h>

#include "kernels/matrix/dots.h"
#include "kernels/openness/features.h"

vb_mass vb_confidence_mass(const double *values, int64_t n, double scale) {
    vb_mass mass = {-INFINITY, 0};
    for (int64_t i = 0; i < n; i++)
        if (values[i] > mass.top) mass.top = values[i];
    if (n && scale > 0) mass.sum = vb_dots_exponential_sum(n, values, mass.top, scale);
    return mass;
}

vb_mass vb_confidence_join(vb_mass a, vb_mass b, double scale) {
    if (a.top < b.top) {
        vb_mass other = a;
        a = b;
        b = other;
    }
    if (b.sum > 0) a.sum += b.sum * vb_dots_exponential_sum(1, &b.top, a.top, scale);
    return a;
}

double vb_confidence_of(vb_mass mass) { return mass.sum > 0 ? 1 / mass.sum : NAN; }

vb_separation vb_confidence_separate(double *present, int64_t n, double *absent, int64_t m) {
    if (!n || !m) return (vb_separation){NAN, NAN};
    vb_features_sort_doubles(present, n);
    vb_features_sort_doubles(absent, m);
    /* Halves of pairs: 2 a pair that is in order, 1 a tie. */
    int64_t halves = 0, below = 0, not_above = 0;
    for (int64_t i = 0; i < n; i++) {
        while (below < m && absent[below] < present[i]) below++;
        if (not_above < below) not_above = below;
        while (not_above < m && absent[not_above] <= present[i]) not_above++;
        halves += below + not_above;
    }
    /* The least number of `present` that is 95 % of them at least. */
    int64_t enough = (95 * n + 99) / 100, rejected = 0;
    while (rejected < m && absent[rejected] < present[n - enough]) rejected++;
    return (vb_separation){(double)halves / (2 * (double)n * (double)m), (double)(m - rejected) / (double)m};
}

void vb_confidence_add(vb_calibration *calibration, double confidence, bool right) {
    int bin = (int)ceil(confidence * VB_CALIBRATION_BINS) - 1;
    if (bin < 0) bin = 0;
    if (bin >= VB_CALIBRATION_BINS) bin = VB_CALIBRATION_BINS - 1;
    /* The product is rounded: the edges decide. */
    if (bin && confidence <= (double)bin / VB_CALIBRATION_BINS) bin--;
    else if (bin + 1 < VB_CALIBRATION_BINS && confidence > (double)(bin + 1) / VB_CALIBRATION_BINS) bin++;
    calibration->count[bin]++;
    calibration->right[bin] += right;
    vb_fixed_sum_add(&calibration->confidence[bin], confidence);
}

vb_calibration_figures vb_confidence_figures(const vb_calibration *calibration) {
    vb_calibration_figures figures = {0, NAN, NAN, NAN};
    vb_fixed_sum all = {{0}, 0, 0};
    int64_t right = 0;
    double gaps = 0;
    for (int b = 0; b < VB_CALIBRATION_BINS; b++) {
        figures.count += calibration->count[b];
        right += calibration->right[b];
        vb_fixed_sum_join(&all, &calibration->confidence[b]);
        gaps += fabs((double)calibration->right[b] - vb_fixed_sum_value(&calibration->confidence[b]));
    }
    if (!figures.count) return figures;
    figures.ece = gaps / (double)figures.count;
    figures.confidence = vb_fixed_sum_value(&all) / (double)figures.count;
    figures.accuracy = (double)right / (double)figures.count;
    return figures;
}
