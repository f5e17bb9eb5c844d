/* Sums of ratios of binomial coefficients by their recurrence in n, and what is read off the curve. */
#include "kernels/openness/names_curve.h"

#include <assert.h>
#include <math.h>

#include "kernels/base/memory.h"

/* Below this a ratio adds nothing to a mean that anyone could see, nor do those that follow it, which are smaller. */
static const double nothing = 0x1p-100;
/* What rounding leaves of a ratio, at most, in parts of it (docs/protocol.md). */
static const double rounding = 1e-10;

int vb_names_curve(const vb_names_counts *counts, double *accuracy, vb_error *err) {
    const int64_t pool = counts->pool;
    int64_t alive = counts->entries; /* the larger h, the earlier w(n) comes to nothing */
    double *w = vb_array((size_t)counts->entries, sizeof *w, "curve over names", err);
    if (!w) return -1;
    for (int64_t i = 0; i < alive; i++) w[i] = 1;
    for (int64_t n = 0; n <= pool; n++) {
        double sum = 0;
        for (int64_t i = 0; i < alive; i++) sum += (double)counts->right[i] * w[i];
        accuracy[n] = sum / (double)counts->images;
        for (int64_t i = 0; i < alive && n < pool; i++) w[i] *= (double)(pool - counts->h[i] - n) / (double)(pool - n);
        while (alive && !(w[alive - 1] > nothing)) alive--;
    }
    vb_free(w);
    return 0;
}

/* The product of min(h, n) factors: the ratio is the same with h and n exchanged. */
double vb_names_curve_survival(int64_t pool, int64_t h, int64_t n) {
    assert(h >= 0 && n >= 0 && h <= pool && n <= pool);
    const int64_t few = h < n ? h : n, many = h < n ? n : h;
    double w = 1;
    for (int64_t i = 0; i < few && w > nothing; i++) w *= (double)(pool - many - i) / (double)(pool - i);
    return w > nothing ? w : 0;
}

double vb_names_curve_at(const vb_names_counts *counts, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < counts->entries; i++)
        sum += (double)counts->right[i] * vb_names_curve_survival(counts->pool, counts->h[i], n);
    return sum / (double)counts->images;
}

double vb_names_curve_error(const vb_names_counts *counts, int64_t n) {
    const double images = (double)counts->images, mean = vb_names_curve_at(counts, n);
    int64_t wrong = counts->images;
    double squares = 0;
    if (counts->images < 2) return NAN;
    for (int64_t i = 0; i < counts->entries; i++) {
        const double off = vb_names_curve_survival(counts->pool, counts->h[i], n) - mean;
        squares += (double)counts->right[i] * off * off;
        wrong -= counts->right[i];
    }
    squares += (double)wrong * mean * mean;
    return sqrt(squares / (images - 1) / images);
}

/* ln((n + 1) / n) = 2 artanh z with z = 1 / (2 n + 1) <= 1/3, by its series: the same on every machine, which log() is not. */
static double log_step(int64_t n) {
    const double z = 1 / (2 * (double)n + 1), square = z * z;
    double power = z, sum = z;
    for (int k = 3; k < 60 && power > 0x1p-70; k += 2) {
        power *= square;
        sum += power / k;
    }
    return 2 * sum;
}

double vb_names_curve_area(const double *accuracy, int64_t pool) {
    double area = 0, length = 0;
    if (pool < 2) return NAN;
    for (int64_t n = 1; n < pool; n++) {
        double step = log_step(n);
        area += step * (accuracy[n] + accuracy[n + 1]) / 2;
        length += step;
    }
    return area / length;
}

int64_t vb_names_curve_half(const double *accuracy, int64_t pool) {
    for (int64_t n = 1; accuracy[0] > 0 && n <= pool; n++)
        if (accuracy[n] <= accuracy[0] / 2 * (1 + rounding)) return n;
    return -1;
}

int vb_names_curve_points(int64_t pool, int64_t smaller, bool decades, int64_t points[VB_NAMES_CURVE_POINTS]) {
    static const int64_t steps[] = {1, 2, 3, 5, 7};
    int count = 0;
    points[count++] = 0;
    for (int64_t power = 1; power < pool; power *= 10)
        for (int i = 0; i < (decades ? 1 : 5) && steps[i] * power < pool; i++) {
            if (points[count - 1] < smaller && smaller < steps[i] * power) points[count++] = smaller;
            points[count++] = steps[i] * power;
        }
    if (points[count - 1] < smaller && smaller < pool) points[count++] = smaller;
    if (pool > 0) points[count++] = pool;
    return count;
}
