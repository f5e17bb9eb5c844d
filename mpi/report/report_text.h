/* The report as Markdown and as LaTeX tables. Local. */
#ifndef VB_REPORT_TEXT_H
#define VB_REPORT_TEXT_H

#include "mpi/report/report.h"

/* Draws the figures by the plotter and appends the document. `data` is the name of the plotter's folder as links write it. */
int vb_report_text_markdown(const vb_report *report, vb_plotter *plotter, const char *data, vb_strbuf *out, vb_error *err);
/* Appends tables alone. */
int vb_report_text_latex(const vb_report *report, vb_strbuf *out, vb_error *err);

#endif
