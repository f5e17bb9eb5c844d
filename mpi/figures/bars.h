/* A figure of horizontal bars, two for each name. Local. */
#ifndef VB_BARS_H
#define VB_BARS_H

#include "mpi/figures/plot.h"

typedef struct vb_bar {
    const char *name;
    double first, second; /* fractions of 1 */
} vb_bar;

/* Units of height that `count` names take. */
int vb_bars_height(int count);
/* Adds the bars to the plot's data and its script; the key calls the two of a name by `series`. */
int vb_bars_add(vb_plot *plot, const vb_bar *bars, int count, const char *const series[2], vb_error *err);
/* The bar with the largest loss from the first to the second value; the earliest of equals. */
const vb_bar *vb_bars_worst(const vb_bar *bars, int count);

#endif
