/* What an experiment's key `prompt_spread` says: which texts the analysis of that name varies. */
#ifndef VB_PROMPT_SPREAD_SPEC_H
#define VB_PROMPT_SPREAD_SPEC_H

#include <stdbool.h>

#include "mpi/base/json.h"
#include "mpi/experiment/analyses_spec.h"

typedef struct vb_prompt_spread_spec {
    bool asked; /* the analysis is listed; else all is empty */
    bool templates, synonyms;
    int64_t draws; /* of synonyms */
    char *wordnet; /* folder */
} vb_prompt_spread_spec;

/* The keys below `prompt_spread`. */
const vb_option *vb_prompt_spread_spec_options(void);

/* The key `prompt_spread` of an experiment's root, in the file `path`; absent: the defaults. Where the set of analyses has it, it
 * is noted in `configuration`; VB_ECONFIG where the key is there without. Free with vb_prompt_spread_spec_free, also after a
 * failure. Local. */
int vb_prompt_spread_spec_read(vb_prompt_spread_spec *spec, const vb_yaml *root, const char *path, uint32_t analyses,
                               json_t *configuration, vb_error *err);
void vb_prompt_spread_spec_free(vb_prompt_spread_spec *spec); /* {0} is fine */

/* How often the images of a pair are evaluated again, of a model with so many templates (CoOp: 0). */
int64_t vb_prompt_spread_spec_variants(const vb_prompt_spread_spec *spec, int templates);

#endif
