/* An experiment from its data to results.json. */
#ifndef VB_RUN_H
#define VB_RUN_H

#include "mpi/base/strbuf.h"
#include "mpi/experiment/experiment.h"
#include "mpi/ranks/context.h"

/* Evaluates every pair of the experiment that is to be evaluated, by groups of ranks side by side, and writes results.json and
 * tables to the output folder; prints the tables. resume: results that an earlier run of the same experiment finished are taken
 * as they are. notes (rank 0): lines on names and images of the data, for the user. A run that is stopped ends with
 * VB_EINCOMPLETE and keeps what is finished. Collective. */
int vb_run(vb_context *context, const vb_experiment *experiment, bool resume, vb_strbuf *notes, vb_error *err);

#endif
