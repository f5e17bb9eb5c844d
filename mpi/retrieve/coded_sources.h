/* Whether the 8-bit copy of a corpus is one of what the corpus holds now. */
#ifndef VB_CODED_SOURCES_H
#define VB_CODED_SOURCES_H

#include "mpi/ranks/context.h"
#include "shards/embeddings/quantized.h"

/* Codes exclude rows unseen, so a part that was written when its codes were there already is hashed, and held against the
 * digest that its manifest has: by every rank those of its share. The others are not read. The copy is one of such parts
 * (vb_quantized_matches). VB_EMISMATCH names the part that has another content. Local. */
int vb_coded_sources_check(vb_context *context, const vb_quantized *copy, const vb_corpus *corpus, vb_error *err);

#endif
