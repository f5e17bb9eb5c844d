/* Making the certified 8-bit copy of a corpus: parts shared among ranks, rows among threads. */
#ifndef VB_CORPUS_CODING_H
#define VB_CORPUS_CODING_H

#include "mpi/ranks/context.h"
#include "shards/embeddings/quantized.h"

/* Writes folder/{manifest.json, mean.npy, NNNNNN.vbq}; the manifest comes last, and that of an earlier copy is removed first, so
 * that a folder with one is whole. The bytes depend on the corpus and the similarity alone. Parts whose .vbq exists with the
 * right size are written again all the same. VB_EOUTPUT: a manifest.json of another kind. VB_EDATA: a part that changes.
 * *summary (rank 0; may be NULL; free with vb_quantized_close) is what was written. Collective. */
int vb_corpus_coding_write(vb_context *context, const vb_corpus *corpus, const char *folder, vb_similarity similarity,
                           int threads, vb_quantized *summary, vb_error *err);

#endif
