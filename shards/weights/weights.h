/* Weights of every published form, a file or a repository folder, as a set of tensors under canonical (OpenAI) names, mapped
 * and shared by a node. */
#ifndef VB_WEIGHTS_H
#define VB_WEIGHTS_H

#include <stdbool.h>

#include "kernels/base/tensor.h"
#include "shards/files/digest.h"
#include "shards/files/map.h"
#include "shards/weights/architecture.h"
#include "shards/weights/repository.h"

typedef struct vb_weights {
    vb_tensor_set set;       /* canonical names (weight_names.h), the model's other tensors under their own; views into the map */
    vb_tensor_set unused;    /* what has no canonical name, under its name in the file: extra heads, optimiser state, buffers */
    const char *container;   /* "safetensors", "torch zip", "TorchScript", "legacy pickle" */
    const char *naming;      /* "OpenAI", "open_clip", "Hugging Face", "SLIP", "DeCLIP", as found; "unknown" */
    const char *family_hint; /* the family that publishes such names (kernels/towers/family.h); NULL when unknown */
    const vb_architecture *architecture; /* that the names tell and that is not encoded here; NULL: none of them */
    vb_digest digest;                    /* of the file's bytes; of shards: of their names and digests */
    vb_repository where;                 /* the files that were read, and the folder in which others lie beside them */
    vb_map *maps;                        /* one a file, in the order of where.shards */
    int64_t bytes;                       /* of all of them */
    void *storage;                       /* names and whatever else the reader owns */
} vb_weights;

/* Whether a file that begins with these bytes may be one of weights: safetensors, torch. */
bool vb_weights_begin(const uint8_t *bytes, size_t n);

/* path: a file, a folder, or an index of shards (repository.h). The container and the naming are found from the bytes. Of
 * shards, every tensor must be in the one that the index names, and no other: VB_EDATA. `digest` costs one pass over the file:
 * pass false to leave it empty. A file of unknown naming opens with an empty set. VB_EMISSING, VB_EDATA (cut short, corrupt),
 * VB_EUNSUPPORTED (other containers and element types). After a failure nothing is left to close. Thread-safe for different
 * `weights`. */
int vb_weights_open(vb_weights *weights, const char *path, bool digest, vb_error *err);

/* The same without canonical names: `set` holds every tensor under its name in the file ("state_dict.ctx"), naming is "as in the
 * file". */
int vb_weights_open_raw(vb_weights *weights, const char *path, bool digest, vb_error *err);
/* Leaves the tensors of one tower in the set, for who needs no other: where the architecture that is not encoded here is the
 * other tower's, it is forgotten. */
void vb_weights_keep_tower(vb_weights *weights, vb_tower tower);
/* The digest of the files' bytes: one pass over them, of which `watch` is told. Shards: of their names and digests, in byte
 * order of the names. */
int vb_weights_digest(const vb_weights *weights, const vb_digest_watch *watch, vb_digest *digest, vb_error *err);
/* What the system says of the files, as one digest: equal ones mean the same files. */
int vb_weights_identity(const vb_weights *weights, vb_digest *identity, vb_error *err);
/* VB_EDATA when a file is not what it was at opening (vb_map_check): before anything that was computed from it is kept. */
int vb_weights_check(const vb_weights *weights, vb_error *err);
/* The file in front of an error about its tensors, and, where the file has other names, that the error has OpenAI's. -1. */
int vb_weights_blame(const vb_weights *weights, vb_error *err);
void vb_weights_close(vb_weights *weights); /* {0} is fine */

#endif
