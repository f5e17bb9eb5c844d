/* Python pickles, protocols 0 to 5, read as data: nothing is imported, nothing is called, unknown classes stay opaque.
 *
 * Source: the opcode table of CPython's Lib/pickletools.py. What a pickle asks Python to call becomes a node that says so. */
#ifndef VB_PICKLE_H
#define VB_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/weights/pickle_value.h"

enum { VB_PICKLE_VALUES = 1 << 22 }; /* at most, and as many references on the stack */

typedef struct vb_pickle vb_pickle;

/* Whether the bytes begin as a pickle that states its protocol (2 to 5; earlier ones begin like any text). */
bool vb_pickle_begins(const uint8_t *bytes, size_t size);

/* Interprets the pickle at the start of `bytes` and sets *used (may be NULL) to its length; what follows is not looked at. The
 * bytes must outlive the result. `name` is put before messages. Work and memory are linear in the pickle's length, without
 * recursion. VB_EDATA with the byte and the opcode for what no pickler writes, VB_EUNSUPPORTED for extension codes, out-of-band
 * buffers and later protocols. Free with vb_pickle_free (NULL is fine). Thread-safe. */
int vb_pickle_parse(vb_pickle **pickle, const uint8_t *bytes, size_t size, const char *name, size_t *used, vb_error *err);
const vb_value *vb_pickle_root(const vb_pickle *pickle); /* lives as long as the pickle */
void vb_pickle_free(vb_pickle *pickle);

/* Every persistent id in the pickle, in order of occurrence. */
const vb_value *const *vb_pickle_persistents(const vb_pickle *pickle, size_t *count);

#endif
