/* Finished pairs of earlier runs, pairs/MODEL--DATASET.json: {key, result, result_digest, files: [{path, bytes, digest}]}. Local;
 * one rank at a time writes a file. */
#ifndef VB_RESUME_H
#define VB_RESUME_H

#include <jansson.h>

#include "mpi/run/schedule.h"
#include "kernels/base/strings.h"
#include "shards/files/identity.h"

/* What a finished pair's result depends on (settings, files, data) as a digest: when nothing of it has changed, --resume takes
 * the result as it is. `data`: of the unit. tolerated: vb_device_tolerated. */
int vb_resume_key(const vb_experiment *experiment, const vb_pair_unit *unit, const vb_dataset_state *data, const char *tolerated,
                  vb_digest *key, vb_error *err);

/* The files that a pair names one by one (weights, tokenizer, embeddings, labels, ...) as they are now. */
typedef struct vb_resume_files {
    size_t count, capacity;
    struct vb_resume_file {
        char *path;
        vb_identity identity;
    } * items;
} vb_resume_files; /* {0} is the empty list */

/* Adds those of a pair; what cannot be looked at is left to whoever opens it. */
int vb_resume_files_add(vb_resume_files *files, const vb_experiment *experiment, const vb_pair_unit *unit,
                        const vb_dataset_state *data, vb_error *err);
/* VB_EDATA, with the path and what is different, when one is not what it was. */
int vb_resume_files_check(const vb_resume_files *files, vb_error *err);
void vb_resume_files_free(vb_resume_files *files); /* leaves {0} */

/* Writes the result of a pair, whole or not at all. files: what else the pair has written, below the folder `output`. */
int vb_resume_store(const vb_digest *key, json_t *result, const char *output, const vb_strings *files, const char *path,
                    vb_error *err);

/* The result that lies there, a new reference; NULL when there is none with that key, when it is damaged, and when one of the
 * pair's other files is missing or not as it was written. */
json_t *vb_resume_find(const vb_digest *key, const char *output, const char *path);

/* Whether the pair's file at `path` holds `entry` as it was written, and the pair's other files below `output` are as they were:
 * VB_EDATA says what is not. *files: how many those are. VB_EMISSING without the file. */
int vb_resume_verify(const char *output, const char *path, const json_t *entry, int *files, vb_error *err);

#endif
