/* Lists of texts to embeddings, in units of fixed size that are cached. */
#ifndef VB_TEXT_LIST_H
#define VB_TEXT_LIST_H

#include "mpi/encode/encode.h"
#include "shards/embeddings/cache.h"

enum { VB_TEXT_UNIT = 256 }; /* texts a unit: a constant, so that units and their files do not depend on ranks */

/* At most VB_TEXT_UNIT texts through tokenizer, cache and encoder: rows (n x dim, as encoded). *unit (may be NULL) is the unit's
 * digest in the cache, *encoded whether it was computed now. Local. */
int vb_text_list_encode_unit(const vb_encoding *how, const char *const *texts, int n, float *rows, vb_digest *unit, bool *encoded,
                             vb_error *err);

/* All n texts, which every rank holds: each rank encodes a slice of the units, all get all rows (n x dim, allocated: vb_free).
 * *encoded counts this rank's texts that were not in the cache. Collective. */
int vb_text_list_encode(const vb_encoding *how, const char *const *texts, int64_t n, float **rows, int64_t *encoded,
                        vb_error *err);

#endif
