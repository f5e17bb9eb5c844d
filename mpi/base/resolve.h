/* Where a path of an experiment file lies. */
#ifndef VB_RESOLVE_H
#define VB_RESOLVE_H

#include "kernels/base/error.h"

/* A path as it is written in the file `beside` (a glob too), its ~ and $NAME expanded (vb_path_expand): beside that file, else
 * under the current folder, else (for configs/...) in the installed configs: the first that exists (of a glob: that matches), or
 * the path itself. A new string, to be freed with vb_free; NULL with VB_ECONFIG of vb_path_expand, and without memory. Local. */
char *vb_resolve(const char *written, const char *beside, vb_error *err);

/* The same of a path in which nothing is to be expanded (any more). */
char *vb_resolve_place(const char *path, const char *beside, vb_error *err);

#endif
