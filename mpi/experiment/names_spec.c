/* Words of a pool of names. */
#include "mpi/experiment/names_spec.h"

#include <assert.h>
const char *const vb_names_spec_exclusions[] = {
    [VB_EXCLUDE_AUTO] = "auto",   [VB_EXCLUDE_RELATED] = "related", [VB_EXCLUDE_SYNONYMS] = "synonyms",
    [VB_EXCLUDE_NAMES] = "names", [VB_EXCLUDE_NONE] = "none",       NULL};
static_assert(sizeof vb_names_spec_exclusions / sizeof *vb_names_spec_exclusions == VB_EXCLUSIONS + 1, "a word for each value");
