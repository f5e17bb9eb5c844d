/* A pool of foreign names beside the classes of a pair: their texts as one bank, so that an image's class can be ranked among
 * both. */
#ifndef VB_FOREIGN_NAMES_H
#define VB_FOREIGN_NAMES_H

#include "kernels/openness/similarity.h"
#include "mpi/evaluate/candidates.h"
#include "mpi/evaluate/device_products.h"
#include "mpi/evaluate/evaluate.h"

typedef struct vb_foreign_names {
    vb_candidates pool;
    vb_label_space space; /* the classes, then the pool's names, which are in no vocabulary */
    vb_memberships memberships;
    int *equivalence; /* behind the space, of an expansion whose classes have some */
    float *texts;     /* of both */
    int64_t cut;      /* texts of the pool that the model's context cuts */
    vb_text_bank *bank;
    vb_device_products device; /* of the bank */
} vb_foreign_names;

/* Whether names can stand beside the classes of a model on a dataset: not in an expansion whose datasets have prompts of their
 * own, which are none of the names'. */
bool vb_foreign_names_fit(const vb_experiment *experiment, const vb_model_spec *model, const vb_dataset_spec *dataset);

/* Whether a model, precomputed or `encoded`, can have the names that `what` asks for, before anything is encoded: a precomputed
 * one needs embeddings of `dim` elements a line for `least` names or more, and contexts that CoOp has for every class are no
 * names'. Local. */
int vb_foreign_names_check(const vb_names_spec *spec, const vb_model_spec *model, bool encoded, int dim, const char *what,
                           int64_t least, vb_error *err);

/* Opens the pool and encodes its names with the pair's prompts (vb_foreign_names_fit), or reads their embeddings for a
 * precomputed model (VB_ECONFIG where the experiment has none, naming the key `what`). VB_EMISMATCH: fewer than `least` names, or
 * embeddings of another shape. All ranks must read the same names. Memory a rank: the embeddings of classes and names twice.
 * Collective; close also after a failure. */
int vb_foreign_names_open(vb_foreign_names *names, vb_context *context, const vb_pair *pair, const vb_names_spec *spec,
                          const char *what, int64_t least, vb_error *err);
void vb_foreign_names_close(vb_foreign_names *names);

/* The pool's part of the results: sizes, rule and digest. */
json_t *vb_foreign_names_json(vb_json *json, const vb_foreign_names *names);

#endif
