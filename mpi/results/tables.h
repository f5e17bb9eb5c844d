/* The tables of results.json: all results, and series of checkpoints. Local. */
#ifndef VB_TABLES_H
#define VB_TABLES_H

#include <jansson.h>

#include "kernels/base/error.h"

typedef enum vb_table_form { VB_TABLE_TERMINAL, VB_TABLE_MARKDOWN, VB_TABLE_CSV, VB_TABLE_LATEX } vb_table_form;

/* The table of all results as text (free with vb_free): model, dataset, images, Acc-C, Acc-E, Acc-S with standard errors,
 * differences from Acc-C. `all` is results[]; NULL with VB_EMEMORY. */
char *vb_tables_main(const json_t *all, vb_table_form form, vb_error *err);

/* The ways of series of checkpoints through accuracy, alignment and uniformity: a row for each checkpoint and dataset, by series,
 * then by dataset, in the checkpoints' order; figures that were not asked for are null. *rows is NULL when `results` has no series; owned by the caller. */
int vb_tables_series_rows(const json_t *results, json_t **rows, vb_error *err);
/* The same as text; free with vb_free. NULL with VB_EMEMORY. */
char *vb_tables_series(const json_t *rows, vb_table_form form, vb_error *err);

#endif
