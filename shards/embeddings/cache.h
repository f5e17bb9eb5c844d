/* Encoded units on disk, under content digests: whoever finds a unit's file need not encode it again.
 *
 * A unit is FOLDER/KEY/UNIT.npy (fp32 rows); rows of samples that could not be decoded are NaN, and their reasons stand in
 * UNIT.skipped.json beside it, which is written first. A checksum of both stands as a comment in the header of the .npy; a unit
 * without one (of earlier versions), or with another, is as if it were not there. FOLDER/KEY/seen/SIGNATURE remembers the unit
 * digest of files that are surely the same. */
#ifndef VB_CACHE_H
#define VB_CACHE_H

#include <jansson.h>
#include <stdbool.h>

#include "shards/files/digest.h"

typedef struct vb_cache {
    const char *folder; /* not owned */
    vb_digest key;      /* of the model and its preprocessing */
} vb_cache;

/* rows x dim floats of a unit into `out` (may be NULL: only looks). *found says whether the unit is there; a file of another
 * shape, or damaged anywhere, is treated as not there, and so is one with a damaged list of skipped samples. *skipped (may be
 * NULL) gets the list of skipped samples, or NULL. Thread-safe. */
int vb_cache_load(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, float *out, bool *found, json_t **skipped,
                  vb_error *err);

/* Writes a unit atomically. `skipped` may be NULL. */
int vb_cache_store(const vb_cache *cache, const vb_digest *unit, int64_t rows, int dim, const float *data, json_t *skipped,
                   vb_error *err);

/* The path of a unit's file, whether it is there or not. Free with vb_free. */
char *vb_cache_path(const vb_cache *cache, const vb_digest *unit, vb_error *err);

/* The digest noted for a signature: *found, *digest. And noting one. */
int vb_cache_recall(const vb_cache *cache, const vb_digest *signature, vb_digest *digest, bool *found, vb_error *err);
int vb_cache_note(const vb_cache *cache, const vb_digest *signature, const vb_digest *digest, vb_error *err);

#endif
