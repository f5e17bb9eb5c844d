/* The tables of results: as a run writes and prints them, and as reports take them up. Rank 0 only, all local. */
#ifndef VB_TABLES_H
#define VB_TABLES_H

#include <jansson.h>

#include "mpi/figures/grid.h"

typedef enum vb_table_form { VB_TABLE_TERMINAL, VB_TABLE_MARKDOWN, VB_TABLE_CSV, VB_TABLE_LATEX } vb_table_form;

/* The table of all results (an array) as text (free with vb_free): model, dataset, images, Acc-C, Acc-E, Acc-S with standard
 * errors, differences from Acc-C; below each result what retrieval made of it: the stated setting, the cross-fitted choice, and
 * the best of several as a bound; as CSV all settings. NULL with VB_EMEMORY. */
char *vb_tables_main(const json_t *all, vb_table_form form, vb_error *err);

/* What stands after ± in these tables, in words: one of the three errors, the same for every figure. */
extern const char vb_tables_note[];
/* That error of a figure: of a result, a vocabulary or a setting of retrieval; NaN where there is none. */
double vb_tables_error(const json_t *figures, const char *key);

/* The same as a grid, row by row; columns, caption and heads first. `unions`: with the average over the union of images beside
 * the vocabularies', for tables that hold an expansion, where the two part. `long_names`: rows of retrieval bear the model's
 * name. */
vb_grid vb_tables_main_begin(const char *caption, bool unions);
bool vb_tables_is_expansion(const json_t *entry);
/* The rule of an expansion whose datasets share names, by which its figures are others; "" of all else. */
const char *vb_tables_shared_names(const json_t *entry);
void vb_tables_main_add(vb_grid *grid, const json_t *entry, const char *model, const char *dataset, bool long_names);
/* The dataset of an entry as people read it: "pics", or "pics (first 3 a class)" of a quick look. Free with vb_free; NULL without
 * memory. */
char *vb_tables_dataset(const json_t *entry, vb_error *err);
/* The five cells Acc-C, Acc-E, E-C, Acc-S, S-C of whatever has these figures. */
void vb_tables_add_accuracies(vb_grid *grid, const json_t *figures);

/* The ways of series of checkpoints through accuracy, alignment and uniformity: a row for each checkpoint and dataset, by
 * series, then by dataset, in the checkpoints' order; figures that were not asked for are null. *rows is the caller's; NULL
 * when `results` has no series. */
int vb_tables_series_rows(const json_t *results, json_t **rows, vb_error *err);
/* The same as text; free with vb_free. NULL with VB_EMEMORY. */
char *vb_tables_series(const json_t *rows, vb_table_form form, vb_error *err);

#endif
