/* The clean-up of texts before they are cut into tokens: CLIP's, and what other models have in its place. */
#ifndef VB_TEXT_CLEANUP_H
#define VB_TEXT_CLEANUP_H

#include <stddef.h>

#include "kernels/base/error.h"

/* What is done to a text before it is cut into tokens. */
typedef enum vb_cleaning {
    VB_CLEAN_NONE,        /* nothing, but that invalid UTF-8 is replaced and U+0000 goes */
    VB_CLEAN_WHITESPACE,  /* ftfy, html.unescape twice, white space */
    VB_CLEAN_LOWER,       /* the same, in lower case: CLIP's */
    VB_CLEAN_CANONICALIZE /* ..., "_" a space, ASCII punctuation gone: SigLIP's */
} vb_cleaning;
extern const char *const vb_text_cleanup_names[]; /* "none", "whitespace", "lower", "canonicalize", NULL: open_clip's words */

/* `text` (n bytes of UTF-8; invalid sequences become U+FFFD) cleaned: ftfy 6.3.1's fix_text with its defaults (mojibake
 * included), html.unescape twice, white space, Python's lower, as far as the way has them. Free with vb_free; NULL with
 * VB_EMEMORY. Thread-safe. Linear time but for references nested in references ("&amp;amp;..."), where each depth costs a pass.
 * Unicode is that of utf8proc and PCRE2; the golden texts are of Unicode 14. Source: open_clip 3.3 tokenizer.py (_clean_*,
 * canonicalize_text). */
char *vb_text_cleanup_as(vb_cleaning cleaning, const char *text, size_t n, vb_error *err);

#endif
