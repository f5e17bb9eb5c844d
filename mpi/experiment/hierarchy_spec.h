/* What an experiment's key `hierarchy` says: where the analysis of that name finds WordNet. */
#ifndef VB_HIERARCHY_SPEC_H
#define VB_HIERARCHY_SPEC_H

#include "mpi/base/json.h"
#include "mpi/experiment/options.h"

typedef struct vb_hierarchy_spec {
    char *wordnet;
} vb_hierarchy_spec;

/* The keys below `hierarchy`. */
const vb_option *vb_hierarchy_spec_options(void);

/* The key `hierarchy` of an experiment's root, in the file `path`; an absent key means the defaults. When `asked` it is noted in
 * `configuration`, paths as written; else VB_ECONFIG where it is there. Free with vb_hierarchy_spec_free, also after a failure.
 * Local. */
int vb_hierarchy_spec_read(vb_hierarchy_spec *spec, const vb_yaml *root, const char *path, bool asked, json_t *configuration,
                           vb_error *err);
void vb_hierarchy_spec_free(vb_hierarchy_spec *spec); /* {0} is fine */

#endif
