/* SHA-256 of the files of models and corpora before a run, against what was published. */
#ifndef VB_CHECK_SUMS_H
#define VB_CHECK_SUMS_H

#include "mpi/experiment/experiment.h"
#include "mpi/plan/findings.h"
#include "mpi/ranks/context.h"

/* A line for each file of a model and each corpus that is searched; a file that is not the published one is a note, as a run
 * would go on. The sums are kept in the cache, where the run takes them from. Local; shown as a stage. */
int vb_check_sums(const vb_experiment *experiment, vb_context *context, vb_findings *findings, vb_error *err);

#endif
