/* Text as a growable array of Unicode code points, and UTF-8 in and out. */
#ifndef VB_CODEPOINTS_H
#define VB_CODEPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_codepoints {
    uint32_t *items;
    size_t count, capacity;
} vb_codepoints; /* {0} is the empty text */

/* Room for so many code points in all; the text stays. */
int vb_codepoints_reserve(vb_codepoints *text, size_t capacity, vb_error *err);
/* `items` must not be of the text itself. */
int vb_codepoints_append(vb_codepoints *text, const uint32_t *items, size_t count, vb_error *err);
bool vb_codepoints_equal(const vb_codepoints *a, const vb_codepoints *b); /* the same code points */
void vb_codepoints_free(vb_codepoints *text);                             /* leaves {0} */

/* One code point at the end. */
static inline int vb_codepoints_push(vb_codepoints *text, uint32_t c, vb_error *err) {
    if (text->count == text->capacity && vb_codepoints_reserve(text, text->count + 1, err)) return -1;
    text->items[text->count++] = c;
    return 0;
}

/* Exchanges two texts: how a pass that wrote to a second text hands its result over. */
static inline void vb_codepoints_swap(vb_codepoints *a, vb_codepoints *b) {
    vb_codepoints c = *a;
    *a = *b;
    *b = c;
}

/* Appends n bytes of UTF-8; each invalid sequence becomes one U+FFFD, as Python's errors="replace" has it. */
int vb_codepoints_from_utf8(vb_codepoints *text, const char *bytes, size_t n, vb_error *err);

/* A NUL-terminated UTF-8 string of the text (which must hold no U+0000). Free with vb_free. */
char *vb_codepoints_to_utf8(const vb_codepoints *text, vb_error *err);

#endif
