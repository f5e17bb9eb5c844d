/* The two escaped spellings of text in pickles of protocol 0. */
#ifndef VB_PICKLE_TEXT_H
#define VB_PICKLE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Python's raw-unicode-escape: Latin-1 but for \uXXXX and \UXXXXXXXX. Writes UTF-8, at most 2 * size bytes;
 * their number, or -1 for a broken escape. */
int64_t vb_pickle_text_raw_unicode_escape(const char *text, size_t size, char *out);

/* A quoted literal of Python 2 with its escapes. Writes fewer than `size` bytes; their number, or -1 when quotes or escapes are
 * broken. */
int64_t vb_pickle_text_unquote(const char *text, size_t size, char *out);

#endif
