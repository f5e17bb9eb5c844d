/* Results: JSON entries, the results.json document, and tables. Rank 0 only, all local. */
#ifndef VB_RESULTS_H
#define VB_RESULTS_H

#include <jansson.h>

#include "kernels/openness/openness.h"
#include "mpi/evaluate/evaluate.h"

/* An entry of results[]; docs/results.md describes the schema. NULL without memory. */
json_t *vb_pair_json(const vb_pair *pair, const vb_openness_result *openness, const vb_pair_counts *counts, json_t *skipped,
                     const vb_digest *data_digest);

/* JSON with 17 significant digits, sorted as built, atomically. */
int vb_json_write(const json_t *value, const char *path, vb_error *err);

#endif
