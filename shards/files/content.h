/* What a file is, by its first bytes, for messages: what lies in the place of what was expected (an HTML page saved as weights, a
 * Git LFS pointer, an archive under another archive's name). */
#ifndef VB_CONTENT_H
#define VB_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/base/error.h"

enum { VB_CONTENT_HEAD = 512 }; /* first bytes that tell; fewer where the file is shorter */

/* In words: "gzip data", "a Git LFS pointer, not the file it points to (git lfs pull fetches it)", "an empty file"; NULL when
 * nothing here knows it. */
const char *vb_content_name(const void *bytes, size_t n);
/* Whether it stands in a file's place: a pointer of Git LFS, git-annex or DVC, a web page, a server's answer, zeros. */
bool vb_content_is_no_file(const void *bytes, size_t n);
/* Whether it is known, and nothing that anyone would write as a list of texts: binary formats, UTF-16, pointers, web pages. */
bool vb_content_is_no_text(const void *bytes, size_t n);

/* The error that a file is not what it should be, -1 always: "PATH: gzip data, expected a tar archive", and of what nothing here
 * knows "PATH: begins with the bytes 01 02 ..., expected a tar archive". */
int vb_content_refuse(const char *path, const void *bytes, size_t n, const char *expected, vb_code code, vb_error *err);

#endif
