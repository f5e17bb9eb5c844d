/* Where a path of an experiment file lies. */
#ifndef VB_RESOLVE_H
#define VB_RESOLVE_H

#include "kernels/base/error.h"

/* A path as it is written in the file `beside` (a glob too): beside that file, else under the current folder, else (for
 * configs/...) in the installed configs: the first that exists (of a glob: that matches), or the path itself. A new string, to be
 * freed with vb_free; NULL without memory. Local. */
char *vb_resolve(const char *path, const char *beside, vb_error *err);

#endif
