/* A corpus as retrieval sees it: embedding parts in order, and the captions of their rows. */
#ifndef VB_CORPUS_PARTS_H
#define VB_CORPUS_PARTS_H

#include "mpi/ranks/context.h"
#include "mpi/encode/encode.h"
#include "mpi/encode/model.h"
#include "mpi/experiment/retrieval_spec.h"
#include "shards/embeddings/corpus.h"
#include "kernels/base/strings.h"

typedef enum vb_corpus_kind { VB_CORPUS_IMAGES, VB_CORPUS_EMBEDDINGS, VB_CORPUS_CAPTIONS } vb_corpus_kind;

typedef struct vb_corpus_parts {
    const vb_corpus_spec *spec;
    vb_corpus_kind kind;
    vb_corpus index;       /* the embedding parts; the corpus' rows are theirs, part after part */
    vb_dataset *dataset;   /* images: part p is its unit p */
    vb_strings captions;   /* embeddings: one a part, or none; captions alone: the files */
    vb_strings text_parts; /* embeddings of the captions by the evaluated model, one a part; or none */
    int64_t encoded;       /* rows that this rank encoded now */
} vb_corpus_parts;

/* Opens a corpus on all ranks. Images and captions alone are encoded by how->model (NULL for embeddings) into the cache, each
 * rank its units. VB_EMISMATCH when captions and parts do not pair up. Collective. */
int vb_corpus_parts_open(vb_corpus_parts *corpus, const vb_encoding *how, const vb_corpus_spec *spec, vb_error *err);
void vb_corpus_parts_close(vb_corpus_parts *corpus);

/* The captions of the rows `ids` (ascending, distinct): texts[i] on every rank, all in one block (free *block with vb_free);
 * odd[i] is NULL, or says why a row has no caption that can be used, whose text is then "". The
 * captions of every part that is read are counted: more or fewer than its rows is VB_EMISMATCH. Collective. */
int vb_corpus_parts_captions(const vb_corpus_parts *corpus, vb_context *context, const int64_t *ids, int64_t n,
                             const char **texts, const char **odd, char **block, vb_error *err);

/* The embeddings of the captions of those rows from text_parts: n x dim on every rank. Collective. */
int vb_corpus_parts_text_rows(const vb_corpus_parts *corpus, vb_context *context, const int64_t *ids, int64_t n, int dim,
                              float *rows, vb_error *err);

#endif
