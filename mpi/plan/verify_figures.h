/* The figures of a result against its records, and against each other. Local. */
#ifndef VB_VERIFY_FIGURES_H
#define VB_VERIFY_FIGURES_H

#include "mpi/plan/verify.h"
#include "mpi/results/record_set.h"

/* Acc-S, the curve, the three accuracies of every vocabulary and who takes whose images; of the analyses the means of margin and
 * similarity and the recall of classes: all that follows from the records. Adds a finding. VB_EMEMORY. */
int vb_verify_figures_of_records(const vb_verify *verify, const char *where, const vb_record_set *set, vb_error *err);

/* All figures of openness, with their errors and intervals, of the whole and of every vocabulary and class, computed again from
 * counts of the records, drawn orders too. Adds a finding. VB_EMEMORY. */
int vb_verify_figures_counted(const vb_verify *verify, const char *where, const vb_record_set *set, vb_error *err);

/* What of REPE and of adversarial names follows from figures that stand beside them: gains, which setting is best, what is left
 * after each name. Adds findings where there is any of it. */
void vb_verify_figures_of_entry(const vb_verify *verify, const char *where, const json_t *entry);

/* A note that says which figures of the result rest on embeddings alone, and are not computed again without --whole. */
void vb_verify_figures_uncovered(const vb_verify *verify, const char *where, const json_t *entry);

#endif
