/* Whether the lead of one model over another on a dataset is more than chance explains: paired by the same images where both have
 * records, else as if the errors were independent. Local. */
#ifndef VB_LEAD_H
#define VB_LEAD_H

#include <stdbool.h>

#include "mpi/figures/section.h"

typedef struct vb_lead {
    double difference;            /* of Acc-E, first less second */
    double error;                 /* its standard error, by classes where it is paired; NaN: none is known */
    bool paired;                  /* by the records of both, as `vocabench compare` does, with fewer draws: */
    double by_images, by_classes; /* p of sign flips; NaN: none */
    bool on_images, on_classes;   /* more than chance explains: for other images of these classes, for other classes */
    bool unpaired;                /* there are records, from which no scores follow */
    bool failed;                  /* without memory: nothing of it is known */
} vb_lead;

/* Results that cannot be paired (no records, other images) are not. */
vb_lead vb_lead_find(const vb_section_result *first, const vb_section_result *second);

#endif
