/* The section on accuracy against the number of foreign names. */
#ifndef VB_OPEN_CURVE_SECTION_H
#define VB_OPEN_CURVE_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_open_curve_section;

#endif
