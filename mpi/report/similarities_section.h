/* The section on the similarities of images and classes. */
#ifndef VB_SIMILARITIES_SECTION_H
#define VB_SIMILARITIES_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_similarities_section;

#endif
