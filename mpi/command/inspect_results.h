/* What `inspect` says of the files that runs, reports and comparisons leave. */
#ifndef VB_INSPECT_RESULTS_H
#define VB_INSPECT_RESULTS_H

#include <stdbool.h>

#include "kernels/base/error.h"

/* Prints what it is if a path is such a file, or a folder of them, by what lies there; else *recognised is false. Local. */
int vb_inspect_results(const char *path, bool *recognised, vb_error *err);

#endif
