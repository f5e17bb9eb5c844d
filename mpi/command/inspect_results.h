/* What `inspect` says of the files that runs, reports and comparisons leave. */
#ifndef VB_INSPECT_RESULTS_H
#define VB_INSPECT_RESULTS_H

#include <stdbool.h>

#include "kernels/base/error.h"

/* Whether a path is such a file, or a folder of them, by what lies there; then vb_inspect_results prints what it is. Local. */
bool vb_inspect_results_recognises(const char *path);
int vb_inspect_results(const char *path, vb_error *err);

#endif
