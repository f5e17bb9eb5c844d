/* Lists of texts to encode: a text file, one a line, or a JSON list of strings. */
#ifndef VB_TEXTS_H
#define VB_TEXTS_H

#include <stddef.h>

#include "kernels/base/error.h"

typedef struct vb_texts {
    size_t count;
    const char **items; /* UTF-8, NUL-terminated, as they are in the file (no clean-up) */
    void *storage;
} vb_texts;

/* A path that ends in .json is a JSON list of strings, every other path is text (shards/files/text_file.h): one text a line, LF
 * or CRLF; empty lines are texts, but a line feed at the end of the file starts none; a byte order mark at the start is dropped.
 * Invalid UTF-8, NUL characters, carriage returns within a line and values that are no strings are VB_EDATA with line or index; a
 * file without texts is VB_EMISSING. Free with vb_texts_free. */
int vb_texts_read(vb_texts *texts, const char *path, vb_error *err);
/* The same of names (of classes, labels, rows): blanks around a name and blank lines at the end are dropped; an empty one between
 * names is VB_EDATA. */
int vb_texts_read_names(vb_texts *names, const char *path, vb_error *err);
/* Drops the blanks around each text, of a list of names in which empty ones mean something. */
void vb_texts_trim(vb_texts *texts);
void vb_texts_free(vb_texts *texts); /* {0} is fine */

#endif
