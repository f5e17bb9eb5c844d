/* The picture that a report begins with: every model's Acc-E on every dataset, with its interval, the most open first. */
#ifndef VB_OVERVIEW_H
#define VB_OVERVIEW_H

#include "mpi/report/report.h"

/* Leaves figure->name NULL where there is one result, which is compared with nothing. The caller frees the figure, also after a
 * failure. */
int vb_overview_plot(const vb_report *report, vb_plotter *plotter, vb_figure *figure, vb_error *err);

#endif
