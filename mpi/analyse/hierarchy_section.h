/* What reports show of the analysis `hierarchy`. */
#ifndef VB_HIERARCHY_SECTION_H
#define VB_HIERARCHY_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_hierarchy_section;

#endif
