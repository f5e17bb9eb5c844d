/* The files of the corpora that a run searches, and their SHA-256, as the `run` block states them and `verify` compares them. */
#ifndef VB_CORPUS_SUMS_H
#define VB_CORPUS_SUMS_H

#include "kernels/base/strings.h"
#include "mpi/base/json.h"
#include "mpi/experiment/experiment.h"
#include "shards/files/sha256.h"

/* A run would wait for the sums of more bytes; results.json would be a list of more files. */
#define VB_CORPUS_SUMS_BYTES 100000000000
#define VB_CORPUS_SUMS_FILES 10000

typedef struct vb_corpus_sums { /* of one corpus */
    vb_strings files;           /* of images, embeddings, captions, text embeddings, each in byte order; each file once */
    int64_t *sizes, bytes;
    int *index; /* of each file in the job; NULL: not hashed */
} vb_corpus_sums;

/* Whether a model that is evaluated searches the corpus. */
bool vb_corpus_sums_wanted(const vb_experiment *experiment, int corpus);
/* Adds the files that a corpus' path means: those of a glob, of a folder those in it and in its sub-folders. What is not there is
 * none. Fails without memory alone. */
int vb_corpus_sums_files(vb_strings *files, const char *path, vb_error *err);
/* Lists the files as they lie, and adds them to the job where there are no more bytes and files than above. What is not there
 * others tell. Local; close also after a failure. */
int vb_corpus_sums_open(vb_corpus_sums *sums, const vb_corpus_spec *corpus, vb_sha256_job *job, vb_error *err);
void vb_corpus_sums_close(vb_corpus_sums *sums);

/* {corpus, files (their number), bytes, sha256, list: [{path, bytes, sha256}]}: the sum of them all is null where one of theirs
 * is; theirs are null where they were not computed; the list is null when it would be too long. After the job's end. */
json_t *vb_corpus_sums_entry(const vb_corpus_sums *sums, const char *name, const vb_sha256_job *job, vb_json *json);
/* The sum of such a list: of the lines that sha256sum prints of its files from inside of their folders. Empty where one has
 * none, or there is no list. */
int vb_corpus_sums_of_list(vb_sha256 *sum, const json_t *list, vb_error *err);

#endif
