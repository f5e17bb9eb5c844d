/* Texts that people write, whatever editor wrote them: one reader for YAML, JSON, lists, merges. */
#ifndef VB_TEXT_FILE_H
#define VB_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/base/error.h"

/* The length of the UTF-8 byte order mark at the start of a text, 0 or 3: Windows' editors write it, and it is no part of the
 * text. */
size_t vb_text_file_mark(const void *bytes, size_t n);

/* Reads a whole text, without its byte order mark, NUL-terminated beyond *size. `expected`, for messages: "class names, one a
 * line". VB_EDATA: more than `limit` bytes; what is plainly something else, by its name (vb_content_is_no_text: UTF-16, gzip, a
 * web page, a Git LFS pointer). Whether it is UTF-8 is the caller's to see. Free with vb_free. */
int vb_text_file_read(const char *path, size_t limit, const char *expected, char **text, size_t *size, vb_error *err);

/* The next line of a text [*at, end), which ends in LF, CR LF or the text's end: *line and *size without that end; false at the
 * end of the text, where a line end starts no further line. The byte behind the line is written to: it becomes a NUL (the text
 * has one byte of room). */
bool vb_text_file_next_line(char **at, char *end, char **line, size_t *size);

/* VB_EDATA with path and line: bytes that are no UTF-8, a NUL, a carriage return that ends no line (a file of old Macintosh
 * lines would be read as one). */
int vb_text_file_check_line(const char *line, size_t size, const char *path, size_t number, vb_error *err);

/* A space, a tab, or a byte of a line end; a NUL is none. */
bool vb_text_file_is_space(char c);

/* Drops the blanks (spaces and tabs) at both ends: *line and *size become what is left, NUL-terminated. */
void vb_text_file_trim(char **line, size_t *size);

#endif
