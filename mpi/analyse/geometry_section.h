/* The section on alignment and uniformity. */
#ifndef VB_GEOMETRY_SECTION_H
#define VB_GEOMETRY_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_geometry_section;

#endif
