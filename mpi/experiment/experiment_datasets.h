/* The keys `datasets` and `expansions` of an experiment file. */
#ifndef VB_EXPERIMENT_DATASETS_H
#define VB_EXPERIMENT_DATASETS_H

#include "mpi/experiment/experiment.h"

/* Adds all of them to the experiment, whose path and configuration are set, and to its configuration. VB_ECONFIG with the place.
 * What is read belongs to the experiment, also after a failure. Local. */
int vb_experiment_datasets_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err);

#endif
