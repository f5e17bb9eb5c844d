/* What an experiment's key `open_curve` says: the foreign names of the analyses open_curve, open_set and calibration. */
#ifndef VB_OPEN_CURVE_SPEC_H
#define VB_OPEN_CURVE_SPEC_H

#include "mpi/base/json.h"
#include "mpi/experiment/analyses_spec.h"
#include "mpi/experiment/names_spec.h"

typedef struct vb_open_curve_spec {
    vb_names_spec pool;
} vb_open_curve_spec;

/* The keys below `open_curve`. */
const vb_option *vb_open_curve_spec_options(void);

/* The key `open_curve` of an experiment's root, in the file `path`. Where the set of analyses has open_curve an absent key means
 * the defaults; for open_set and calibration it means no names. What is asked for is noted in `configuration`, paths as written;
 * VB_ECONFIG where the key is there and the set has none of the three. Free with vb_open_curve_spec_free, also after a failure.
 * Local. */
int vb_open_curve_spec_read(vb_open_curve_spec *spec, const vb_yaml *root, const char *path, uint32_t analyses,
                            json_t *configuration, vb_error *err);
void vb_open_curve_spec_free(vb_open_curve_spec *spec); /* {0} is fine */

#endif
