/* SHA-256 (FIPS 180-4), under which hubs publish files of weights: of bytes, and of files by a thread beside other work. */
#ifndef VB_SHA256_H
#define VB_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/files/digest.h"
#include "shards/files/identity.h"

typedef struct vb_sha256 {
    char hex[65]; /* lower case; empty: not known */
} vb_sha256;

vb_sha256 vb_sha256_bytes(const void *bytes, size_t size);

/* Files to be hashed. What is known of a file, by its identity, under FOLDER/sha256/ is taken from there. */
typedef struct vb_sha256_file {
    char *path;
    vb_identity identity;
    vb_sha256 sum; /* after the end: empty where the file could not be read, or changed meanwhile */
    bool known;    /* it was taken from the folder */
} vb_sha256_file;

typedef struct vb_sha256_job vb_sha256_job;

/* Starts with no file. folder: copied; may not exist yet. */
int vb_sha256_job_new(vb_sha256_job **job, const char *folder, vb_error *err);
/* Adds a file unless it is there already; *index is its number. A file that is not there is one without a sum. Before the
 * start. */
int vb_sha256_job_add(vb_sha256_job *job, const char *path, int *index, vb_error *err);
/* Hashes on a thread of its own, where nothing is allocated and no fault is injected but that of the site hash. */
void vb_sha256_job_start(vb_sha256_job *job);
/* Bytes that are hashed, of all; what is taken from the folder, or cannot be read, is done when its turn comes. False: it has
 * ended. */
bool vb_sha256_job_under_way(const vb_sha256_job *job, int64_t *done, int64_t *all);
/* Waits for the end, or, with stop, ends it; then the files can be looked at. May be called again. */
void vb_sha256_job_wait(vb_sha256_job *job, bool stop);
const vb_sha256_file *vb_sha256_job_file(const vb_sha256_job *job, int index);
/* Writes what was new into the folder; what cannot be written is computed again another time. After the end. */
void vb_sha256_job_keep(const vb_sha256_job *job);
void vb_sha256_job_free(vb_sha256_job *job); /* NULL is fine; ends what goes on */

#endif
