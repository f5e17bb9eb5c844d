/* Paired means, the exact McNemar test and the sign-flip test. */
#include "kernels/openness/paired.h"

#include <assert.h>
#include <math.h>

#include "kernels/base/memory.h"
#include "kernels/openness/numpy_rng.h"

static const double TWO_PI = 6.283185307179586476925286766559;

void vb_paired_means(vb_paired_mean *out, const double *a, const double *b, int64_t n) {
    double sum_a = 0, sum_b = 0, sum = 0, squares = 0;
    *out = (vb_paired_mean){NAN, NAN, NAN, NAN};
    if (n < 1) return;
    for (int64_t i = 0; i < n; i++) {
        sum_a += a[i];
        sum_b += b[i];
        sum += b[i] - a[i];
    }
    out->a = sum_a / (double)n;
    out->b = sum_b / (double)n;
    out->difference = sum / (double)n;
    if (n < 2) return;
    for (int64_t i = 0; i < n; i++) {
        double deviation = b[i] - a[i] - out->difference;
        squares += deviation * deviation;
    }
    out->error = sqrt(squares / (double)(n - 1) / (double)n);
}

/* ---- the binomial distribution of fair coins ---- */

/* log(n!) - log(sqrt(2 pi n) (n/e)^n) */
static double stirling_error(double n) {
    if (n <= 15) return log(tgamma(n + 1)) - 0.5 * log(TWO_PI * n) - n * log(n) + n;
    double square = 1 / (n * n);
    return (1 / 12.0 - square * (1 / 360.0 - square * (1 / 1260.0 - square * (1 / 1680.0 - square / 1188.0)))) / n;
}

/* x log(x / mean) + mean - x, without the cancellation near x = mean: with v = (x - mean) / (x + mean), log(x / mean) is
 * 2 (v + v^3/3 + v^5/5 ...). */
static double deviance(double x, double mean) {
    if (fabs(x - mean) >= 0.1 * (x + mean)) return x * log(x / mean) + mean - x;
    double v = (x - mean) / (x + mean), sum = (x - mean) * v, power = 2 * x * v;
    for (int j = 3;; j += 2) {
        power *= v * v;
        double next = sum + power / j;
        if (next == sum) return sum;
        sum = next;
    }
}

/* C(n, k) / 2^n */
static double coin_probability(double n, double k) {
    if (k == 0 || k == n) return exp2(-n);
    double exponent = stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(k, n / 2) - deviance(n - k, n / 2);
    return exp(exponent) * sqrt(n / (TWO_PI * k * (n - k)));
}

double vb_paired_mcnemar(int64_t only_a, int64_t only_b) {
    assert(only_a >= 0 && only_b >= 0);
    if (only_a == only_b) return 1;
    double n = (double)only_a + (double)only_b, k = (double)(only_a < only_b ? only_a : only_b);
    /* The tail in units of its largest term; each term is a fraction below 1 of the one before. */
    double term = 1, sum = 1;
    for (double i = k; i > 0 && term > 1e-18 * sum; i--) {
        term *= i / (n - i + 1);
        sum += term;
    }
    double p = 2 * coin_probability(n, k) * sum;
    return p < 1 ? p : 1;
}

/* ---- sign flips ---- */

/* The sums of w[0..n-1] under all 2^n signs. */
static void all_sums(double *sums, const double *w, int n) {
    for (uint32_t signs = 0; signs < UINT32_C(1) << n; signs++) {
        double sum = 0;
        for (int j = 0; j < n; j++) sum += signs >> j & 1 ? -w[j] : w[j];
        sums[signs] = sum;
    }
}

static int count_all_signs(int64_t *hits, const double *w, int n, double least, vb_error *err) {
    int low = n / 2, high = n - low;
    double *sums = vb_buffer(((size_t)1 << low) + ((size_t)1 << high), sizeof *sums, "sign flips", err), *rest = sums;
    if (!sums) return -1;
    rest += (size_t)1 << low;
    all_sums(sums, w, low);
    all_sums(rest, w + low, high);
    *hits = 0;
    for (int64_t i = 0; i < INT64_C(1) << high; i++)
        for (int64_t j = 0; j < INT64_C(1) << low; j++) *hits += fabs(rest[i] + sums[j]) >= least;
    vb_free(sums);
    return 0;
}

static int64_t count_drawn(const double *w, int64_t n, int64_t trials, uint32_t seed, double least) {
    vb_numpy_rng rng;
    vb_numpy_rng_seed(&rng, seed);
    int64_t hits = 0;
    for (int64_t trial = 0; trial < trials; trial++) {
        double sum = 0;
        for (int64_t start = 0; start < n; start += 32) {
            uint32_t signs = vb_numpy_rng_next(&rng);
            int64_t end = start + 32 < n ? start + 32 : n;
            for (int64_t j = start; j < end; j++, signs >>= 1) sum += (1 - 2 * (double)(signs & 1)) * w[j];
        }
        hits += fabs(sum) >= least;
    }
    return hits;
}

int vb_paired_sign_flips(vb_flip_test *out, const double *differences, int64_t n, int64_t trials, uint32_t seed, vb_error *err) {
    assert(n >= 0 && trials >= 1);
    double *w = vb_buffer((size_t)n, sizeof *w, "sign flips", err), observed = 0, magnitude = 0;
    if (!w) return -1;
    *out = (vb_flip_test){.p = 1, .exact = true, .trials = 1};
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(differences[i])) {
            vb_free(w);
            return vb_errorf(err, VB_EDATA, "sign flips: difference %lld is no number", (long long)i);
        }
        if (differences[i] == 0) continue;
        w[out->moving++] = differences[i];
        observed += differences[i];
        magnitude += fabs(differences[i]);
    }
    double least = fabs(observed) - 1e-12 * magnitude;
    int status = 0;
    int64_t hits = 0;
    out->exact = out->moving <= VB_FLIPS_EXACT;
    if (out->exact) {
        status = count_all_signs(&hits, w, (int)out->moving, least, err);
        out->trials = INT64_C(1) << out->moving;
        out->p = (double)hits / (double)out->trials;
    } else {
        hits = count_drawn(w, out->moving, trials, seed, least);
        out->trials = trials;
        out->p = (double)(1 + hits) / (double)(1 + trials);
    }
    vb_free(w);
    return status;
}
