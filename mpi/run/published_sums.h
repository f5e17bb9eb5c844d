/* SHA-256 of the files of all models and corpora, as hubs publish them, computed by a thread of rank 0 while the run goes on. */
#ifndef VB_PUBLISHED_SUMS_H
#define VB_PUBLISHED_SUMS_H

#include "mpi/base/json.h"
#include "mpi/base/strbuf.h"
#include "mpi/experiment/experiment.h"
#include "mpi/ranks/context.h"
#include "mpi/run/corpus_sums.h"
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
    vb_corpus_sums *corpora; /* of every corpus of the experiment; without files: not searched */
    int corpus_count;
} vb_published_sums;

/* Lists the files of the models that are evaluated (not those of precomputed embeddings), of their index models, and of the
 * corpora that they search, and starts. One rank, local; close also after a failure. */
int vb_published_sums_start(vb_published_sums *sums, const vb_experiment *experiment, vb_error *err);
/* Waits for the files of a job, as a stage that is shown: "SHA-256 of models and corpora". VB_EINCOMPLETE when the run is to
 * stop: then the job has ended, and what it has finished can be kept. Local. */
int vb_published_sums_wait(vb_sha256_job *job, vb_context *context, vb_error *err);
/* Sets in the `run` block `models`: [{model, files: [{role, name, path, bytes, sha256, published, published_sha256,
 * published_by}]}]; sha256 is null of a file that could not be read, the last two where no publisher's is known
 * (shards/weights/published.h). `corpora`, where one is searched: their entries (corpus_sums.h). notes: a warning for every file
 * that is not the published one. After the wait. */
int vb_published_sums_set(vb_published_sums *sums, const vb_experiment *experiment, json_t *facts, vb_strbuf *notes,
                          vb_error *err);
/* What was computed is kept in the cache. */
void vb_published_sums_keep(const vb_published_sums *sums);
void vb_published_sums_close(vb_published_sums *sums);

#endif
