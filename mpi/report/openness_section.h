/* All models of a dataset in one picture. */
#ifndef VB_OPENNESS_SECTION_H
#define VB_OPENNESS_SECTION_H

#include "mpi/figures/section.h"

/* Acc-E against Acc-C, a point for each model; the line on which nothing is lost. Where there are two models or more. */
extern const vb_section vb_openness_section;

#endif
