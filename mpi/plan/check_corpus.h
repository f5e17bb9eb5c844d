/* What `check` says of a corpus: its parts, their dimensions against the models that retrieve from it, its captions. */
#ifndef VB_CHECK_CORPUS_H
#define VB_CHECK_CORPUS_H

#include "mpi/experiment/experiment.h"
#include "mpi/plan/findings.h"
#include "mpi/ranks/context.h"

/* Opens parts and captions as a run would, and reads the first caption of each file. Local (alone: a context of this rank). */
void vb_check_corpus(const vb_experiment *experiment, const vb_corpus_spec *spec, vb_context *alone, vb_findings *findings);

#endif
