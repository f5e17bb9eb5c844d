/* Words and paths of a pool of names. */
#include "mpi/experiment/names_spec.h"

#include <assert.h>

#include "kernels/base/memory.h"
#include "mpi/base/resolve.h"

const char *const vb_names_spec_exclusions[] = {
    [VB_EXCLUDE_AUTO] = "auto",   [VB_EXCLUDE_RELATED] = "related", [VB_EXCLUDE_SYNONYMS] = "synonyms",
    [VB_EXCLUDE_NAMES] = "names", [VB_EXCLUDE_NONE] = "none",       NULL};
static_assert(sizeof vb_names_spec_exclusions / sizeof *vb_names_spec_exclusions == VB_EXCLUSIONS + 1, "a word for each value");

static int resolve(char **field, const char *beside, vb_error *err) {
    char *found = *field ? vb_resolve(*field, beside, err) : NULL;
    if (!*field) return 0;
    vb_free(*field);
    return (*field = found) ? 0 : -1;
}

int vb_names_spec_resolve(vb_names_spec *spec, const char *path, vb_error *err) {
    return (resolve(&spec->names, path, err) || resolve(&spec->embeddings, path, err)) ? -1 : 0;
}
