/* The classes of a dataset as text embeddings of a model: prompts filled, encoded by slices of the ranks, averaged, given to
 * all. */
#ifndef VB_CLASSIFIER_H
#define VB_CLASSIFIER_H

#include "mpi/encode/class_texts.h"
#include "mpi/encode/dataset_state.h"
#include "mpi/encode/encode.h"
#include "shards/embeddings/cache.h"

typedef struct vb_classifier {
    float *texts;       /* classes x dim, class order; not normalised unless several prompts were averaged */
    bool divided;       /* texts holds this rank's classes only, in the order of vb_cyclic_index (mpi/ranks/scalapack.h) */
    float *prompt_rows; /* classes x prompts x dim, as encoded; NULL unless asked for */
    int classes, dim;
    int prompts;             /* texts a class; -1: not the same number for all, in an expansion */
    vb_digest digest;        /* of the bytes of texts: on rank 0 */
    int64_t encoded, cached; /* texts that were encoded, and found in the cache: summed over the ranks */
    vb_text_faults faults;   /* that how->text_rules allow */
} vb_classifier;

/* Encodes the dataset's classes with the model's prompts there (vb_experiment_prompts) (several: normalise, mean, normalise;
 * Radford et al.
 * 2021, section 3.1.4). Every rank takes a slice of the classes; MPI_Allgatherv gives all rows to all, or with divide each to
 * the rank that it belongs to, and no rank ever holds more than that, its slice and one unit of 256 prompts. keep_prompts: also
 * keep prompt_rows, for REPE's blend prompt by prompt (not with divide). VB_EMISMATCH before anything is encoded when texts are
 * longer than the context, or classes have the same, and how->text_rules do not allow it. Collective. */
int vb_classifier_encode(vb_classifier *classifier, const vb_encoding *how, const vb_dataset_state *data, bool keep_prompts,
                         bool divide, vb_error *err);

/* What vb_classifier_encode finds before it encodes: faults that are allowed, or its error. Of an expansion, whose datasets all
 * have the model's prompts: what vb_classifier_joined finds of equal texts. Collective. */
int vb_classifier_look(const vb_encoding *how, const vb_dataset_state *data, vb_text_faults *faults, vb_error *err);

/* The same for any list of names, which may hold equal texts, and cut ones unless that is said to be an error. A CoOp checkpoint
 * with contexts of its own for every class takes no other list. Collective. */
int vb_classifier_encode_names(vb_classifier *classifier, const vb_encoding *how, const vb_name_list *names, bool keep_prompts,
                               vb_error *err);

/* Whether it will, by the checkpoint `coop`; source: for messages. Local. */
int vb_classifier_check_names(const char *coop, const char *source, vb_error *err);

/* How many classes of so many prompts each are encoded together, one at least. */
int vb_classifier_classes_a_unit(int prompts);

/* Rows of spec->text_embeddings in class order (all, or with divide this rank's); spec->text_names says whose rows they are
 * when that is another order. Collective. */
int vb_classifier_precomputed(vb_classifier *classifier, const vb_encoding *how, const vb_model_spec *model,
                              const vb_dataset_state *data, bool divide, vb_error *err);

/* The texts of an expansion's classes: each the text of its dataset's classifier. VB_EMISMATCH when dimensions differ. Local. */
int vb_classifier_joined(vb_classifier *classifier, const vb_encoding *how, const char *model, const vb_dataset_state *data,
                         const vb_classifier *parts, vb_error *err);

void vb_classifier_free(vb_classifier *classifier);

#endif
