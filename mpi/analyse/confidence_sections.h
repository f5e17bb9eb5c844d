/* The sections on images whose class is absent and on calibration. */
#ifndef VB_CONFIDENCE_SECTIONS_H
#define VB_CONFIDENCE_SECTIONS_H

#include "mpi/figures/section.h"

extern const vb_section vb_open_set_section, vb_calibration_section;

#endif
