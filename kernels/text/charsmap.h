/* SentencePiece's precompiled_charsmap: a double array of what is replaced, and the replacements.
 *
 * Source: google/sentencepiece 0.2.3 normalizer.cc, third_party/darts_clone/darts.h. */
#ifndef VB_CHARSMAP_H
#define VB_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_charsmap {
    const uint32_t *units;
    size_t unit_count;
    const char *replacements; /* each ends with a NUL; the last byte is one */
    size_t size;
} vb_charsmap;

/* Takes a file's bytes apart: 4 bytes of size, the units, the replacements. *map points into `bytes` but for the units, which
 * are *units (vb_free). VB_EDATA: sizes that do not fit, an offset beyond the array, a circle of units, a replacement beyond the
 * others or that is no UTF-8. */
int vb_charsmap_read(vb_charsmap *map, uint32_t **units, const uint8_t *bytes, size_t size, const char *name, vb_error *err);

/* The longest beginning of n bytes of text that is replaced: its bytes, and *replacement; 0: none is. `first`: the shortest. */
size_t vb_charsmap_match(const vb_charsmap *map, const char *text, size_t n, bool first, const char **replacement);

#endif
