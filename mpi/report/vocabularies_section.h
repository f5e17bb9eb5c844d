/* The section on the accuracies of each vocabulary. */
#ifndef VB_VOCABULARIES_SECTION_H
#define VB_VOCABULARIES_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_vocabularies_section;

#endif
