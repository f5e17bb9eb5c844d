/* What Python's str knows of Unicode: white space, word characters, NFC and lower case. */
#ifndef VB_UNICODE_H
#define VB_UNICODE_H

#include "kernels/text/codepoints.h"

bool vb_unicode_is_space(uint32_t c);   /* str.isspace() and re's \s */
bool vb_unicode_is_word(uint32_t c);    /* re's \w */
bool vb_unicode_is_decimal(uint32_t c); /* re's \d */

/* unicodedata.normalize("NFC", text), in place. Linear time, whatever the number of marks in a row. */
int vb_unicode_nfc(vb_codepoints *text, vb_error *err);

/* str.lower(), in place: full mappings (U+0130 becomes two) and the final sigma. */
int vb_unicode_lower(vb_codepoints *text, vb_error *err);

/* Both of a NUL-terminated UTF-8 text: NFC, then lower case. Free with vb_free; NULL on failure. */
char *vb_unicode_fold(const char *text, vb_error *err);

#endif
