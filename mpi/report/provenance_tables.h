/* Where results come from, as tables of names and values; to be freed by the caller. */
#ifndef VB_PROVENANCE_TABLES_H
#define VB_PROVENANCE_TABLES_H

#include <jansson.h>

#include "mpi/figures/grid.h"

/* The run that made a results.json. */
vb_grid vb_provenance_tables_run(const json_t *document);
/* Data, model and validation of an entry of results[]. */
vb_grid vb_provenance_tables_input(const json_t *entry);

#endif
