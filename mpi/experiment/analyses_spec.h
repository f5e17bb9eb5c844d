/* What an experiment's key `analyses` asks for: a set of the names in analyses_list.h. */
#ifndef VB_ANALYSES_SPEC_H
#define VB_ANALYSES_SPEC_H

#include <stdint.h>

#include "mpi/base/json.h"
#include "mpi/experiment/analyses_list.h"
#include "mpi/experiment/options.h"

/* Analysis i of the list has bit 1 << i in a set of them. */
enum {
#define VB_ANALYSES_SPEC_NUMBER(name, help) VB_ANALYSES_SPEC_##name,
    VB_ANALYSES_LIST(VB_ANALYSES_SPEC_NUMBER)
#undef VB_ANALYSES_SPEC_NUMBER
        VB_ANALYSES_SPEC_COUNT
};

/* A row for each name, with its help: for lists and messages, never to be read with. */
const vb_option *vb_analyses_spec_options(void);

/* The key `analyses` of an experiment's root, in the file `path`, into *set (absent: empty) and `configuration`. VB_ECONFIG for
 * an unknown or repeated name. Local. */
int vb_analyses_spec_read(uint32_t *set, const vb_yaml *root, const char *path, json_t *configuration, vb_error *err);

#endif
