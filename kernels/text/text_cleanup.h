/* CLIP's clean-up of texts before they are cut into tokens. */
#ifndef VB_TEXT_CLEANUP_H
#define VB_TEXT_CLEANUP_H

#include <stddef.h>

#include "kernels/base/error.h"

/* `text` (n bytes of UTF-8; invalid sequences become U+FFFD) cleaned and in lower case: ftfy 6.3.1's fix_text with its defaults
 * (mojibake included), html.unescape twice, white space, Python's lower. Free with vb_free; NULL with VB_EMEMORY. Thread-safe.
 * Linear time but for references nested in references ("&amp;amp;..."), where each level costs a pass. Unicode is that of
 * utf8proc and PCRE2; the golden texts are of Unicode 14. */
char *vb_text_cleanup(const char *text, size_t n, vb_error *err);

#endif
