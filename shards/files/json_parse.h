/* JSON from text and to text: jansson with our memory and our errors, no lack of which stays unnoticed. */
#ifndef VB_JSON_PARSE_H
#define VB_JSON_PARSE_H

#include <jansson.h>
#include <stddef.h>

#include "kernels/base/error.h"

/* From now on jansson takes its memory from vb_memory_plain and gives it back to vb_free. Once, before anything uses jansson. */
void vb_json_parse_setup(void);

/* The value of a text of n bytes, behind a byte order mark if there is one; `flags` are jansson's (JSON_DECODE_ANY,
 * JSON_REJECT_DUPLICATES). NULL with VB_EDATA "PATH:LINE:COLUMN: why", or with VB_EMEMORY. Owned by the caller (json_decref).
 * Local, as is the rest. */
json_t *vb_json_parse(const char *text, size_t n, size_t flags, const char *path, vb_error *err);

/* The same without the place: the error is why alone, for the caller to put the place before it; *where tells line and column. */
json_t *vb_json_parse_bare(const char *text, size_t n, size_t flags, json_error_t *where, vb_error *err);

/* The same for what Python's json writes, too: NaN, Infinity and -Infinity outside of texts are empty lists, in
 * `text` as well afterwards; where an integer is beyond 64 bits with a sign, all are reals. */
json_t *vb_json_parse_python(char *text, size_t n, size_t flags, json_error_t *where, vb_error *err);

/* The reverse: a value as text, with jansson's flags. NULL for NULL, and without memory. Free with vb_free. */
char *vb_json_parse_text(const json_t *value, size_t flags);

/* The value in a file of at most 1 GiB; VB_EMISSING when there is none. */
json_t *vb_json_parse_file(const char *path, vb_error *err);

#endif
