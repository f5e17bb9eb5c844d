/* Files of class names, one a line. */
#ifndef VB_CLASS_NAMES_H
#define VB_CLASS_NAMES_H

#include "kernels/base/strings.h"

/* One name a line; a byte order mark, white space around a name, CR, and blank lines at the end are dropped. VB_EDATA: an empty
 * line between names, no name at all, a NUL. Free with vb_strings_free; the list is empty after a failure. */
int vb_class_names_read(vb_strings *names, const char *path, vb_error *err);

#endif
