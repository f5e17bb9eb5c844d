/* The section on the three standard errors of each figure. */
#ifndef VB_ERRORS_SECTION_H
#define VB_ERRORS_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_errors_section;

#endif
