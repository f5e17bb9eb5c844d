/* The report as PDF. Local. */
#ifndef VB_REPORT_PDF_H
#define VB_REPORT_PDF_H

#include "mpi/base/strbuf.h"

/* Prints the finished HTML page with Chromium by way of files in the folder `data`. VB_EMISSING when it is not installed. */
int vb_report_pdf(const vb_strbuf *page, const char *data, const char *output, vb_error *err);

#endif
