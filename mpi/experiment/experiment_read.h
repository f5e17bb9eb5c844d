/* The experiment file: YAML to structs, strictly. */
#ifndef VB_EXPERIMENT_READ_H
#define VB_EXPERIMENT_READ_H

#include "mpi/experiment/experiment.h"

/* One setting from the command line: path.to.key and its value, in YAML or a text as it stands. */
typedef struct vb_override {
    const char *path, *value;
    bool text;
} vb_override;

/* Reads, overrides, checks and completes. Checks that do not need the data: names unique, prompts with one {}, keys that a family
 * needs or does not take. Paths, that of the file too, are resolved (vb_resolve) but not opened. VB_EMISSING, or VB_ECONFIG with
 * file:line:column. Free with vb_experiment_free after 0; a failure leaves nothing. Local. */
int vb_experiment_read(vb_experiment *experiment, const char *given, const vb_override *overrides, int override_count,
                       vb_error *err);

#endif
