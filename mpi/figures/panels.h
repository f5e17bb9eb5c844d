/* Small multiples: a panel for each model, its curve in colour and the others' in grey, all on the same axes. Local. */
#ifndef VB_PANELS_H
#define VB_PANELS_H

#include "mpi/figures/plot.h"

enum { VB_PANELS_FROM = 5 /* curves that would lie over each other in one panel */ };

typedef struct vb_panel {
    const char *label;
    char line[96], band[96]; /* "using ..." of the figure's CSV; the band "" for none */
} vb_panel;

typedef struct vb_panels_axes {
    const char *name; /* of the axis below */
    double left, right, low, high;
    bool logarithmic;
} vb_panels_axes;

/* Units of height that `count` panels take. */
int vb_panels_height(int count);
/* Adds the script of all panels: VB_PANELS_FROM of them or more. What is pointed at (vb_plot_value) lies in its `panel`, numbered
 * from 0. */
int vb_panels_add(vb_plot *plot, const vb_panel *panels, int count, const vb_panels_axes *axes, vb_error *err);

#endif
