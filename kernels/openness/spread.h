/* Three standard errors for each figure, and intervals that do not collapse.
 *
 * A figure of a vocabulary is the mean A of its images' scores, all from 0 to 1; the figure of a benchmark is the mean over its N
 * vocabularies. How far would it be off had other images, other classes or other vocabularies been drawn?
 *   images       more images of these classes: strata are the classes
 *   classes      other classes in these vocabularies: a class with all of its images is one draw (a cluster)
 *   vocabularies other vocabularies: delete-one jackknife, the deleted one being away as a rival, too
 * docs/protocol.md derives them. Source: Cochran, Sampling Techniques (1977), 5.6 and 9A; Efron and Stein 1981 (Ann. Stat. 9);
 * Wilson 1927 (JASA 22) with the effective sample size of Korn and Graubard 1998 (Survey Methodology 24). */
#ifndef VB_SPREAD_H
#define VB_SPREAD_H

#include <stdint.h>

#include "kernels/base/error.h"

typedef enum vb_spread_kind { VB_SPREAD_IMAGES, VB_SPREAD_CLASSES, VB_SPREAD_VOCABULARIES, VB_SPREAD_KINDS } vb_spread_kind;
extern const char *const vb_spread_names[VB_SPREAD_KINDS];

/* Of one figure, by kind. NaN where a kind has nothing to compare: fewer than two images, classes, vocabularies. */
typedef struct vb_spread {
    double error[VB_SPREAD_KINDS];
    double low[VB_SPREAD_KINDS], high[VB_SPREAD_KINDS]; /* 95 % */
} vb_spread;
extern const vb_spread vb_spread_none; /* NaN */

/* The scores of a class's images in one of its vocabularies. */
typedef struct vb_spread_cell {
    int class;
    int64_t images; /* 0: the class only distracts */
    double sum;
    double squares; /* of the deviations from the class's mean */
} vb_spread_cell;

/* Of a class in two vocabularies: the sum over its images of the product of their deviations in both. */
typedef struct vb_spread_cross {
    int class, first, second; /* vocabularies */
    int64_t images;
    double products;
} vb_spread_cross;

/* The cells of vocabulary t: offsets[t] .. offsets[t + 1] - 1. Every vocabulary has images. */
typedef struct vb_spread_table {
    int vocabularies, classes;
    const int *offsets;
    const vb_spread_cell *cells;
    const vb_spread_cross *crosses; /* one for each two cells of one class */
    int64_t cross_count;
    /* What each vocabulary's mean counts for in the mean over them; NULL: as much as any other. With weights an image is in one
     * cell, whatever their classes, and a vocabulary may have a single image. */
    const double *weights;
} vb_spread_table;

/* Of vocabulary t's mean. without: that mean for each of the `count` other vocabularies deleted in turn. Differences of two
 * figures are scores, too: their errors are right, their intervals have no meaning. */
void vb_spread_of_vocabulary(vb_spread *out, const vb_spread_table *table, int t, const double *without, int count);
/* Of the mean over the vocabularies. without: that mean for each of the `count` vocabularies deleted in turn. VB_EMEMORY. */
int vb_spread_of_mean(vb_spread *out, const vb_spread_table *table, const double *without, int count, vb_error *err);
/* Of a figure of which only the values with each vocabulary deleted are known. */
void vb_spread_of_deletions(vb_spread *out, double value, const double *without, int count);

/* sqrt((n - 1) / n sum (x - mean)^2); NaN below two values, or when one is none. */
double vb_spread_jackknife(const double *values, int n);

/* Wilson's 95 % interval of a share, `right` of n >= 1 images. */
void vb_spread_wilson(int64_t right, int64_t n, double interval[2]);
/* The same of a figure from 0 to 1 with a standard error: for n stands the number of draws that would have this error if a draw
 * were right or wrong, value (1 - value) / error^2, for the normal quantile Student's. Where the error is 0: Wilson's for `units`
 * draws. NaN where the error is. */
void vb_spread_interval(double value, double error, int64_t units, int64_t df, double *low, double *high);

#endif
