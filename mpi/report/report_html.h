/* The report as one HTML page, whole without its script, which sorts and filters tables. Local. */
#ifndef VB_REPORT_HTML_H
#define VB_REPORT_HTML_H

#include "mpi/report/report.h"

/* Draws the figures by the plotter and appends the page. `data` is the name of the plotter's folder as links in the page write
 * it. */
int vb_report_html(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err);

#endif
