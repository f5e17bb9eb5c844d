/* The results.json document with its tables, and the pairs that a configuration asks for. Rank 0 only, all local. */
#ifndef VB_DOCUMENT_H
#define VB_DOCUMENT_H

#include <stdbool.h>

#include "mpi/base/json.h"

/* The digest of a configuration: compact JSON with sorted keys. digest has 33 bytes. */
int vb_document_configuration_digest(const json_t *configuration, char *digest, vb_error *err);

/* {schema, experiment, configuration, configuration_digest, results, run, series}: a new document that holds references to its
 * parts;
 * `series` (vb_tables_series_rows) only where there are any. */
json_t *vb_document_new(const char *experiment, json_t *configuration, json_t *results, json_t *run, vb_error *err);

/* Writes FOLDER/results.json, table.md, table.csv and, when asked, table.tex, of series the same under the name series, and
 * prints the tables. Results of another configuration
 * that lie there are kept as results.XXXXXXXX.json. */
int vb_document_write(const char *folder, const json_t *document, bool latex, vb_error *err);

/* FOLDER/BELOW/MODEL--DATASET with suffix, unusual characters escaped: vb_file_name_of_pair. Free with vb_free. */
char *vb_document_pair_path(const char *folder, const char *below, const char *model, const char *dataset, const char *suffix,
                            vb_error *err);

/* Whose a file of a pair is, as far as pairs/MODEL--DATASET.json tells, which has the result and lists its files. */
typedef enum vb_file_owner {
    VB_FILE_NONE, /* it is not there */
    VB_FILE_OWN,
    VB_FILE_LEFT, /* by an earlier run: the one that made the result wrote none */
    VB_FILE_OTHER /* another result's */
} vb_file_owner;
/* *path: vb_document_pair_path of the result's pair. Free with vb_free. Local. */
int vb_document_find_file(const char *folder, const char *below, const json_t *entry, const char *suffix, char **path,
                          vb_file_owner *owner, vb_error *err);

/* The (model, dataset) and (model, expansion) pairs of a configuration in the order of results[]. The names belong to the
 * configuration. */
typedef struct vb_pair_name {
    const char *model, *dataset;
} vb_pair_name;
/* *pairs (vb_free) has *count names. VB_EDATA for an entry without a name. Local. */
int vb_document_configured_pairs(const json_t *configuration, vb_pair_name **pairs, int *count, vb_error *err);

#endif
