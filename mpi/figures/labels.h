/* Which points of a scatter get their name beside them: names that would lie over each other are left out. Pure functions. */
#ifndef VB_LABELS_H
#define VB_LABELS_H

#include <stdbool.h>

typedef struct vb_label {
    const char *name;
    double x, y; /* of the point, in fractions of the plot's width and height */
    bool left;   /* the name ends at the point instead of beginning there */
    bool shown;
} vb_label;

/* Sets `shown`: of names that meet, the earliest stays; none lies over another label's point. width, height: of the plot in units
 * of figures (vb_plot_begin). */
void vb_labels_choose(vb_label *labels, int count, double width, double height);

#endif
