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

typedef enum vb_table_form { VB_TABLE_TERMINAL, VB_TABLE_MARKDOWN, VB_TABLE_CSV, VB_TABLE_LATEX } vb_table_form;

/* The table of all results as text (free with vb_free): model, dataset, images, Acc-C, Acc-E, Acc-S with standard errors,
 * differences from Acc-C. */
char *vb_tables_main(const json_t *all, vb_table_form form, vb_error *err);

/* The ways of series of checkpoints through accuracy, alignment and uniformity: a row for each checkpoint and dataset, by series,
 * then by dataset, in the checkpoints' order; figures that were not asked for are null. NULL when `results` has no series. */
json_t *vb_tables_series_rows(const json_t *results);
/* The same as text; free with vb_free. */
char *vb_tables_series(const json_t *rows, vb_table_form form, vb_error *err);

#endif
