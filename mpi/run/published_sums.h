/* SHA-256 of the files of all models, as hubs publish them, computed by a thread of rank 0 while the run goes on. */
#ifndef VB_PUBLISHED_SUMS_H
#define VB_PUBLISHED_SUMS_H

#include "mpi/base/json.h"
#include "mpi/experiment/experiment.h"
#include "shards/files/sha256.h"

typedef struct vb_published_file {
    int model;        /* of the experiment */
    const char *role; /* "weights", "tokenizer", "coop" */
    int index;        /* in the job */
} vb_published_file;

typedef struct vb_published_sums {
    vb_sha256_job *job;
    vb_published_file *files;
    int count;
    size_t capacity;
} vb_published_sums;

/* Lists the files of the models that are evaluated (not those of precomputed embeddings) and starts. One rank, local; close also
 * after a failure. */
int vb_published_sums_start(vb_published_sums *sums, const vb_experiment *experiment, vb_error *err);
/* Waits, and sets in the `run` block `models`: [{model, files: [{role, name, path, bytes, sha256}]}]; sha256 is null of a file
 * that could not be read. */
void vb_published_sums_set(vb_published_sums *sums, const vb_experiment *experiment, vb_json *json, json_t *facts);
/* What was computed is kept in the cache. */
void vb_published_sums_keep(const vb_published_sums *sums);
void vb_published_sums_close(vb_published_sums *sums);

#endif
