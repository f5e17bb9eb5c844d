/* The key `models` of an experiment file. */
#ifndef VB_EXPERIMENT_MODELS_H
#define VB_EXPERIMENT_MODELS_H

#include "mpi/experiment/experiment.h"

/* Adds all of them to the experiment, whose datasets and corpora are read, and to its configuration: of an entry with patterns a
 * model for each checkpoint. VB_EMISSING for a pattern that matches nothing, VB_ECONFIG with the place. What is read belongs to
 * the experiment, also after a failure. Local. */
int vb_experiment_models_read(vb_experiment *experiment, const vb_yaml *root, vb_error *err);

#endif
