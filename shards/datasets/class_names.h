/* Files of class names, one a line. */
#ifndef VB_CLASS_NAMES_H
#define VB_CLASS_NAMES_H

#include "kernels/base/strings.h"

/* vb_texts_read_names: one name a line, or a JSON list. Free with vb_strings_free; the list is empty after a failure. */
int vb_class_names_read(vb_strings *names, const char *path, vb_error *err);

#endif
