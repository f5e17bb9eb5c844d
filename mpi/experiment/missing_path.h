/* What the message of a missing file lacks: the entry and key that named it, the line, and where it was looked for. */
#ifndef VB_MISSING_PATH_H
#define VB_MISSING_PATH_H

#include "mpi/experiment/experiment.h"

/* Puts the key that named the path before a VB_EMISSING, since another key may name the same path; any other error stays as it
 * is. Returns -1. For whoever opens the path. */
int vb_missing_path_key(const char *key, vb_error *err);

/* Completes a VB_EMISSING whose text names a path of the experiment: "mine.yaml:14:16: model 'tiny': tokenizer: " before it, and
 * behind it the places where a relative path was looked for. Any other error stays as it is. Local. */
void vb_missing_path_explain(const vb_experiment *experiment, vb_error *err);

#endif
