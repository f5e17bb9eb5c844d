/* The section on which vocabulary takes images from which. */
#ifndef VB_THEFT_SECTION_H
#define VB_THEFT_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_theft_section;

#endif
