/* What an experiment's key `open_curve` says: the names of the analysis of that name. */
#ifndef VB_OPEN_CURVE_SPEC_H
#define VB_OPEN_CURVE_SPEC_H

#include "mpi/base/json.h"
#include "mpi/experiment/names_spec.h"

typedef struct vb_open_curve_spec {
    vb_names_spec pool;
} vb_open_curve_spec;

/* The keys below `open_curve`. */
const vb_option *vb_open_curve_spec_options(void);

/* The key `open_curve` of an experiment's root, in the file `path`; an absent key means the defaults. When `asked` it is
 * noted in `configuration`, paths as written; else VB_ECONFIG where it is there. Free with
 * vb_open_curve_spec_free, also after a failure. Local. */
int vb_open_curve_spec_read(vb_open_curve_spec *spec, const vb_yaml *root, const char *path, bool asked, json_t *configuration,
                            vb_error *err);
void vb_open_curve_spec_free(vb_open_curve_spec *spec); /* {0} is fine */

#endif
