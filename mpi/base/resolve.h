/* Where the paths of an experiment file lie. */
#ifndef VB_RESOLVE_H
#define VB_RESOLVE_H

#include "kernels/base/error.h"

/* Where a path of the experiment file `beside` lies: beside that file, else under the current folder, else (for configs/...) in the
 * installed configs. A new string (vb_free): the first that exists (globs: that matches), or the path itself. NULL without memory.
 * Local. */
char *vb_resolve(const char *path, const char *beside, vb_error *err);

#endif
