/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing beyond U+10FFFF. */
#ifndef VB_UTF8_H
#define VB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at the start of n >= 1 bytes: the length of its sequence, or minus the length of the longest invalid beginning
 * of one. */
int vb_utf8_next(const uint8_t *bytes, size_t n, uint32_t *c);

/* Writes 1 to 4 bytes and returns their number. */
int vb_utf8_put(uint32_t c, char *out);

/* Whether n bytes are UTF-8 without U+0000. *bad (may be NULL): the offset of the first sequence that is not, else n. */
bool vb_utf8_is_text(const char *text, size_t n, size_t *bad);

/* Whether a byte of valid UTF-8 begins a character; true of the NUL at the end. */
static inline bool vb_utf8_begins(char byte) { return ((unsigned char)byte & 0xc0) != 0x80; }

size_t vb_utf8_count(const char *text); /* characters of a string of valid UTF-8 */

/* The largest length of at most `most` bytes at which the string can be cut between two characters. */
size_t vb_utf8_cut(const char *text, size_t most);

/* The first character that may not stand in a name or a line: a control character, a separator of lines, what turns the
 * direction of the text behind it, or a byte that is not UTF-8. NULL when there is none. */
const char *vb_utf8_find_control(const char *text);

/* Each of these becomes '?', byte by byte: what a file is called, or holds, then neither forges a second line nor spoils the
 * terminal. */
void vb_utf8_one_line(char *text);

#endif
