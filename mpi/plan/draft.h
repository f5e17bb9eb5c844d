/* A first experiment, with its vocabulary file, from a dataset and a checkpoint: what `init` writes. */
#ifndef VB_DRAFT_H
#define VB_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_draft_request {
    const char *images;                  /* dataset; NULL: the only one in the current folder */
    const char *weights;                 /* checkpoint or repository folder; NULL: the only one in the current folder */
    const char *tokenizer, *class_names; /* NULL: looked for */
    const char *output;                  /* the experiment's file; NULL: NAME.yaml in the current folder */
} vb_draft_request;

typedef struct vb_draft {
    char *path, *vocabularies; /* of the two files */
    char *output;              /* folder where the results will lie */
    int64_t images;
    int classes, groups;
} vb_draft;

/* Whether a path is a checkpoint or a repository folder, by its name or its first bytes. */
bool vb_draft_is_weights(const char *path);

/* Writes both files, or none. VB_EOUTPUT when one of them is there already: nothing is ever overwritten. Local. Free with
 * vb_draft_free, also after a failure. */
int vb_draft_write(vb_draft *draft, const vb_draft_request *request, vb_error *err);
void vb_draft_free(vb_draft *draft);

#endif
