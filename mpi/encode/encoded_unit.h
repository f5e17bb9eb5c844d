/* One unit of a dataset whose images are encoded: what is known of it, what must be read, and what becomes of its rows. The two
 * ends of the pipeline: `prepare` may run on any thread, `finish` on the one that called it. */
#ifndef VB_ENCODED_UNIT_H
#define VB_ENCODED_UNIT_H

#include "mpi/encode/dataset_state.h"
#include "mpi/encode/encode.h"
#include "mpi/encode/unit_rows.h"
#include "shards/embeddings/cache.h"

/* Whose units they are. */
typedef struct vb_encoded_units {
    const vb_dataset_state *data;
    vb_cache cache;
    vb_encoding how;
    int dim;
} vb_encoded_units;

typedef struct vb_encoded_unit {
    int64_t unit;
    vb_unit_rows rows;
    int *picked;       /* the samples that are encoded */
    vb_unit_data data; /* their bytes, until they are decoded */
    vb_digest signature, key;
    bool missing; /* the cache has it not: rows.count images of `data` are to be encoded to rows.rows */
} vb_encoded_unit;

/* Whether the unit's rows lie in the cache, and of how many images they are; nothing of an image is read. Local. */
int vb_encoded_unit_look(const vb_encoded_units *units, int64_t number, int *images, bool *found, vb_error *err);
/* Looks up the unit's labels and the cache, and reads the unit where its rows are not there. *unit is to be freed either way. */
int vb_encoded_unit_prepare(vb_encoded_unit *unit, const vb_encoded_units *units, int64_t number, vb_error *err);
/* The unit on its way through a pipeline, after `prepare`: nothing to encode where it was found. */
void vb_encoded_unit_ask(vb_encoded_unit *unit, const vb_encoded_units *units, vb_pipeline_unit *asked);
/* Its bytes can go. */
void vb_encoded_unit_release(vb_encoded_unit *unit);
/* Stores rows that were encoded, if the unit's files are as they were; lists broken images and takes them out of unit->rows.
 * passed: as the pipeline gave it back. VB_EDATA also for broken images in the cache of a run that skipped, in a strict one. */
int vb_encoded_unit_finish(vb_encoded_unit *unit, const vb_encoded_units *units, const vb_pipeline_unit *passed, vb_error *err);
void vb_encoded_unit_free(vb_encoded_unit *unit);

#endif
