/* Accuracy against the number of foreign names, exactly and for every number at once.
 *
 * A pool of P names, of which h are ranked before the class of an image. Of the C(P, n) sets of n names, C(P - h, n) hold none of
 * those h, so an image that is right without them stays right among n names drawn at random with probability
 *   w(n) = C(P - h, n) / C(P, n),   w(0) = 1,   w(n + 1) = w(n) (P - h - n) / (P - n).
 * The mean over images is a function of the counts of h alone. It is the closed form of openness.h with names for
 * vocabularies. */
#ifndef VB_NAMES_CURVE_H
#define VB_NAMES_CURVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* How many right images h of the pool's names take: entries with distinct h, ascending, 0 <= h <= pool. */
typedef struct vb_names_counts {
    int64_t pool, images; /* names; images, right or not */
    const int64_t *h, *right;
    int64_t entries;
} vb_names_counts;

/* accuracy[n] for n = 0..pool (pool + 1 numbers): the mean over the images of w(n), or 0 for one that is wrong without names.
 * Each is within 1e-10 of the real number, and a function of the counts alone. VB_EMEMORY. */
int vb_names_curve(const vb_names_counts *counts, double *accuracy, vb_error *err);

/* w(n) of one h: C(pool - h, n) / C(pool, n); 0 <= h, n <= pool. */
double vb_names_curve_survival(int64_t pool, int64_t h, int64_t n);

/* accuracy[n] for one n, without the others; within 1e-10 likewise. */
double vb_names_curve_at(const vb_names_counts *counts, int64_t n);

/* The standard error of accuracy[n]: sample standard deviation (n - 1) of the images' w over the root of their number; NaN below
 * two images. */
double vb_names_curve_error(const vb_names_counts *counts, int64_t n);

/* The mean of accuracy[1..pool] over ln n: the trapezoidal rule between neighbouring n, over ln pool. NaN below two names. */
double vb_names_curve_area(const double *accuracy, int64_t pool);
/* The smallest n whose accuracy is, but for rounding, at most half of accuracy[0]; -1 when there is none, and where
 * accuracy[0] is 0, of which nothing can go. */
int64_t vb_names_curve_half(const double *accuracy, int64_t pool);

/* The numbers of names at which tables and plots show two curves, one of them of the smaller pool, ascending: 0, then 1, 2, 3, 5,
 * 7 times the powers of ten below the pool (or 1 times them: decades), and both pools. Fills up to VB_NAMES_CURVE_POINTS; how
 * many. */
enum { VB_NAMES_CURVE_POINTS = 100 };
int vb_names_curve_points(int64_t pool, int64_t smaller, bool decades, int64_t points[VB_NAMES_CURVE_POINTS]);

#endif
