/* The list of all sections. */
#ifndef VB_REPORT_SECTIONS_H
#define VB_REPORT_SECTIONS_H

#include "mpi/figures/section.h"

enum { VB_REPORT_SECTIONS = 64 };

/* All sections in the order of their places; returns how many. */
int vb_report_sections_list(const vb_section *sections[VB_REPORT_SECTIONS]);

#endif
