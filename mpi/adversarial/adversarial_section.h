/* The section on adversarial vocabularies. */
#ifndef VB_ADVERSARIAL_SECTION_H
#define VB_ADVERSARIAL_SECTION_H

#include "mpi/figures/section.h"

extern const vb_section vb_adversarial_section;

#endif
