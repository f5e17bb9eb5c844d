/* The section on accuracy while the vocabulary grows. */
#ifndef VB_CURVES_SECTION_H
#define VB_CURVES_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_curves_section;

#endif
