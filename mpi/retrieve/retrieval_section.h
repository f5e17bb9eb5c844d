/* The section on what retrieved captions change. */
#ifndef VB_RETRIEVAL_SECTION_H
#define VB_RETRIEVAL_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_retrieval_section, vb_retrieval_settings_section;

#endif
