/* A growing list of strings that owns them. */
#ifndef VB_STRINGS_H
#define VB_STRINGS_H

#include <stddef.h>

#include "kernels/base/error.h"

typedef struct vb_strings {
    size_t count, capacity;
    char **items; /* NUL-terminated, each its own block */
} vb_strings;     /* {0} is the empty list */

/* Adds a copy of `text`, or of its first n bytes. VB_EMEMORY leaves the list as it was. */
int vb_strings_add(vb_strings *list, const char *text, vb_error *err);
int vb_strings_add_n(vb_strings *list, const char *text, size_t n, vb_error *err);
/* Adds `text` itself, which belongs to the list from now on, and is freed when the list cannot grow. NULL, which an allocation
 * that failed has given, is passed on as -1 with *err as it is: vb_strings_take(&list, vb_format(err, ...), err). */
int vb_strings_take(vb_strings *list, char *text, vb_error *err);

void vb_strings_sort(vb_strings *list); /* in byte order */
void vb_strings_free(vb_strings *list); /* leaves {0} */

#endif
