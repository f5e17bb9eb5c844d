/* From a vocabulary to its classes to the images that other vocabularies' names take, with pictures: what records tell. */
#ifndef VB_STOLEN_SECTION_H
#define VB_STOLEN_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_stolen_section;

#endif
