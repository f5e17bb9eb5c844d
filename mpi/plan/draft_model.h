/* The entry of a model in an experiment file, from its checkpoint: what `inspect` shows and `init` writes. */
#ifndef VB_DRAFT_MODEL_H
#define VB_DRAFT_MODEL_H

#include "mpi/base/strbuf.h"
#include "mpi/encode/facts.h"

typedef struct vb_draft_model {
    const char *name, *path; /* as they shall stand there */
    const vb_weights *weights;
    const vb_family *family;
    const char *tokenizer; /* NULL: it lies beside the weights */
    bool told;             /* nothing has to be stated that is not known (vb_facts_of_towers) */
} vb_draft_model;

/* The lines that a model cannot do without, from "  - name:" to "    prompts:"; what is guessed stands in comments. */
void vb_draft_model_entry(vb_strbuf *out, const vb_draft_model *model);

/* The tokenizer of a model: *path is the stated one (or NULL) where there is one, NULL when it lies beside the weights, else one
 * that fits in the current folder or in the folder above the weights (a new string, vb_free). VB_EMISSING names the places. */
int vb_draft_model_tokenizer(char **path, const char *stated, const vb_weights *weights, const vb_family *family, vb_error *err);

/* Sets the convention of the tokenizer at `path`, or beside the weights where it is NULL: 0 when there is one that fits, else -1
 * with why not, whose code is 0 when there is none. */
int vb_draft_model_convention(vb_facts *facts, const vb_stated_facts *stated, const vb_weights *weights, const vb_family *family,
                              const char *path, vb_error *why);

#endif
