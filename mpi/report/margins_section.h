/* The section on the margins of images. */
#ifndef VB_MARGINS_SECTION_H
#define VB_MARGINS_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_margins_section;

#endif
