/* A repository folder as it was downloaded: which of its files hold the weights, and which tell what the weights do not. */
#ifndef VB_REPOSITORY_H
#define VB_REPOSITORY_H

#include <jansson.h>
#include <stdbool.h>

#include "kernels/base/strings.h"

typedef struct vb_repository {
    char *folder;       /* where files beside the weights lie */
    char *file;         /* the weights: a file of tensors, or an index of shards */
    vb_strings shards;  /* paths of the files with tensors, in byte order: `file` alone unless that is an index */
    json_t *weight_map; /* of an index: tensor name -> name of its shard; NULL without */
} vb_repository;

/* Whether a folder holds a file of weights under a name that repositories have. Local, as is the rest. */
bool vb_repository_recognises(const char *folder);
/* Whether a file's name is one that repositories have for weights. */
bool vb_repository_is_weights_name(const char *name);

/* path: a file of weights, an index (*.index.json), or a folder. Of a folder's files the first of these is taken:
 * open_clip_model.safetensors, open_clip_pytorch_model.bin, model.safetensors, model.safetensors.index.json, pytorch_model.bin,
 * pytorch_model.bin.index.json. So a folder in both layouts is read in open_clip's names, as its publishers wrote it, and
 * safetensors comes before the pickle with the same tensors.
 *
 * VB_EMISSING: no such file, a folder without weights, a shard that the index names and that is not there. VB_EDATA: an index
 * that is none (no "weight_map" of texts, names of shards that are no file names). */
int vb_repository_open(vb_repository *repository, const char *path, vb_error *err);
void vb_repository_close(vb_repository *repository); /* {0} is fine */

/* Every file that decides what the model at `path` computes, as far as it is there: the weights, their shards, and the files
 * beside them that are read (side_files.h). For keys of finished work: nothing is read but an index. Of a path that is not
 * there no file is listed, which is no error; an index that cannot be read is one. Free with vb_strings_free. */
int vb_repository_list(vb_strings *paths, const char *path, vb_error *err);

#endif
