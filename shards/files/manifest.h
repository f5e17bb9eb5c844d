/* manifest.json of a packed folder: what its shards hold, and their digests. */
#ifndef VB_MANIFEST_H
#define VB_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/strings.h"
#include "shards/files/digest.h"

typedef struct vb_manifest_shard {
    char *file;       /* name inside the folder */
    int64_t rows;     /* samples */
    uint64_t bytes;   /* size of the file */
    vb_digest digest; /* XXH3-128 of the file, as `xxhsum -H2` prints it */
} vb_manifest_shard;

typedef struct vb_manifest {
    int64_t rows;           /* of all shards */
    vb_strings class_names; /* what the integers in .cls index; none when labels are numbers */
    size_t shard_count;
    vb_manifest_shard *shards;
} vb_manifest;

/* {"schema": "vocabench.shards/1", "rows", "class_names": [], "shards": [{"file", "rows", "bytes", "xxh3_128"}]}.
 * Strict: unknown, missing and repeated keys, wrong types, file names with a path, rows that do not add up are VB_EDATA with the
 * key's path. VB_EUNSUPPORTED: JSON of another schema. Free with vb_manifest_free. */
int vb_manifest_read(vb_manifest *manifest, const char *path, vb_error *err);
void vb_manifest_free(vb_manifest *manifest); /* {0} is fine */

/* Atomic; the same bytes for the same manifest. VB_EUNSUPPORTED: a name that is not UTF-8. */
int vb_manifest_write(const vb_manifest *manifest, const char *path, vb_error *err);

#endif
