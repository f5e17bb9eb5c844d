/* The 97.5 % quantile of Student's distribution from its finite sums. */
#include "kernels/openness/student.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

static const double PI = 3.14159265358979323846264338327950288;

/* From here the expansion is within 1e-15. */
enum { EXPANDED = 1000 };

/* atan(x), x >= 0: halved three times, then its series. */
static double arc_tangent(double x) {
    for (int i = 0; i < 3; i++) x /= 1 + sqrt(1 + x * x);
    const double square = x * x;
    double power = x, sum = x;
    for (int k = 3; k < 60; k += 2) {
        power *= -square;
        sum += power / k;
    }
    return 8 * sum;
}

/* P(|T| <= t) */
static double within(double t, int64_t df) {
    const double n = (double)df, sine = t / sqrt(n + t * t), square = n / (n + t * t);
    const bool odd = df % 2;
    double term = odd ? sqrt(square) : 1, sum = 0;
    for (int64_t k = odd ? 1 : 0; k <= df - 2; k += 2) {
        sum += term;
        term *= square * ((double)k + 1) / ((double)k + 2);
    }
    return odd ? 2 / PI * (arc_tangent(t / sqrt(n)) + sine * sum) : sine * sum;
}

static double expansion(double n) {
    const double z = VB_STUDENT_NORMAL, s = z * z;
    const double terms[] = {(s + 1) / 4, ((5 * s + 16) * s + 3) / 96, (((3 * s + 19) * s + 17) * s - 15) / 384,
                            ((((79 * s + 776) * s + 1482) * s - 1920) * s - 945) / 92160};
    double factor = 0;
    for (int i = 3; i >= 0; i--) factor = (factor + terms[i]) / n;
    return z * (1 + factor);
}

double vb_student_quantile(int64_t df) {
    assert(df >= 1);
    double t = expansion((double)df);
    if (df >= EXPANDED) return t;
    double before = 1.01 * t, off_before = within(before, df) - 0.95;
    for (int i = 0; i < 40; i++) { /* secants: the curve has no turn there */
        double off = within(t, df) - 0.95, step = off == off_before ? 0 : off * (t - before) / (off - off_before);
        before = t;
        off_before = off;
        t -= step;
        if (fabs(step) <= 1e-14 * t) break;
    }
    return t;
}
