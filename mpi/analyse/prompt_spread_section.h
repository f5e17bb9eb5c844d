/* The section on the spread over templates and synonyms. */
#ifndef VB_PROMPT_SPREAD_SECTION_H
#define VB_PROMPT_SPREAD_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_prompt_spread_section;

#endif
