/* What an experiment's key `adversarial` asks for. */
#ifndef VB_ADVERSARIAL_SPEC_H
#define VB_ADVERSARIAL_SPEC_H

#include "mpi/base/json.h"
#include "mpi/experiment/names_spec.h"

typedef enum vb_adversarial_method {
    VB_ADVERSARIAL_SINGLE,
    VB_ADVERSARIAL_GREEDY,
    VB_ADVERSARIAL_EXACT,
    VB_ADVERSARIAL_METHODS
} vb_adversarial_method;
typedef struct vb_adversarial_spec {
    vb_names_spec pool; /* not asked for: there is no such key */
    int64_t k, evaluations, memory;
    double seconds;
    vb_adversarial_method method;
    int target_count; /* 0: all vocabularies */
    char **targets;
} vb_adversarial_spec;

/* The keys below `adversarial`. */
const vb_option *vb_adversarial_spec_options(void);

/* The key `adversarial` of an experiment's root, in the file `path`; an absent key leaves *spec zeroed. Notes it in
 * `configuration`, paths as written; then resolves them. Free with vb_adversarial_spec_free, also after a failure. Local. */
int vb_adversarial_spec_read(vb_adversarial_spec *spec, const vb_yaml *root, const char *path, json_t *configuration,
                             vb_error *err);
/* Also of a zeroed one, which it leaves. */
void vb_adversarial_spec_free(vb_adversarial_spec *spec);
const char *vb_adversarial_spec_method_name(vb_adversarial_method method); /* as the file has it */

#endif
