/* Histograms of analyses as a figure: {low, high, NAME: [counts of equal bins from low to high], ...}. Local. */
#ifndef VB_HISTOGRAM_H
#define VB_HISTOGRAM_H

#include <jansson.h>

#include "mpi/figures/plot.h"

enum { VB_HISTOGRAM_HEIGHT = 290 }; /* of the figure */

/* Adds rows of a bin's middle, then of each name the bin's share in percent and its count, and histogram.gp: axes from the
 * first to the last bin that holds anything in any of them, one more on both sides. One or two names. The curves are for the
 * caller to draw. */
int vb_histogram_add(vb_plot *plot, const json_t *histograms, const char *const *names, int count, vb_error *err);
/* Whether there is a histogram of that name. */
bool vb_histogram_given(const json_t *histograms, const char *name);

#endif
