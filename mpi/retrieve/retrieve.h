/* Distributed exact retrieval: every rank scans its blocks of the corpus once for all queries; one merge gives the lists. */
#ifndef VB_RETRIEVE_H
#define VB_RETRIEVE_H

#include "kernels/search/scan.h"
#include "mpi/ranks/context.h"
#include "shards/embeddings/corpus.h"

typedef struct vb_retrieve_options {
    int64_t top_k; /* hits wanted; fewer when the corpus has fewer rows that can be listed */
    vb_similarity similarity;
    int threads;            /* of a rank */
    int64_t memory;         /* budget of a rank in bytes: VB_EMEMORY, with what is needed, when the lists do not fit */
    const char *checkpoint; /* folder for finished work, or NULL */
    double checkpoint_seconds;
    const char *quantized; /* folder of the corpus's int8 copy, or NULL: lists are the same, with fewer bytes read */
} vb_retrieve_options;

/* What was done; on rank 0. */
typedef struct vb_retrieve_summary {
    int64_t queries, listed;                      /* hits a query: the same for all */
    int64_t rows, not_finite, zero;               /* of the corpus */
    int64_t blocks;                               /* the corpus in pieces of work */
    int64_t rescored, blocks_resumed, bytes_read; /* of this run: they depend on ranks, threads and interruptions */
    int64_t rows_on_device;                       /* likewise: that devices have searched */
    int64_t candidates;                           /* int8: rows that its bound could not exclude, rescored from the originals */
    double slack;                                 /* int8: mean of the bound on the error of a score, over the candidates */
} vb_retrieve_summary;

/* Takes the lists on rank 0. `begin` (may be NULL) is called when the summary is known, before the first list; `list` for every
 * query in order, with `count` hits, best first, and their scores as users see them. */
typedef struct vb_retrieve_sink {
    int (*begin)(void *context, const vb_retrieve_summary *summary, vb_error *err);
    int (*list)(void *context, int64_t query, const vb_hit *hits, const double *scores, int64_t count, vb_error *err);
    void *context;
} vb_retrieve_sink;

/* The part table of a corpus, read by rank 0. Collective. */
int vb_retrieve_corpus_open_shared(vb_corpus *corpus, vb_comm *comm, const char *name, vb_error *err);

/* queries: count x corpus->dim, the same on every rank. context->device searches beside the threads where it is faster
 * (mpi/retrieve/device_scan.h). The lists, `listed`, `rows`, `not_finite` and `zero` depend on queries and corpus alone. Stops at
 * a signal with VB_EINCOMPLETE, the finished blocks being kept when there is a checkpoint folder; files of a finished scan remain
 * until vb_retrieve_forget. Collective. */
int vb_retrieve(vb_context *context, const vb_corpus *corpus, const float *queries, int64_t count,
                const vb_retrieve_options *options, const vb_retrieve_sink *sink, vb_retrieve_summary *summary, vb_error *err);

/* Pieces of work that the scan of a corpus can be cut into, as if it were one part. Local. */
int64_t vb_retrieve_pieces(int64_t rows, int dim);
/* Bytes that a rank's scan takes beside the corpus. Local. */
int64_t vb_retrieve_memory(int64_t queries, int dim, int64_t top_k, int threads, int ranks, bool quantized);

/* Removes the checkpoint of a scan whose lists are safe. On rank 0; local. */
void vb_retrieve_forget(const vb_corpus *corpus, const float *queries, int64_t count, const vb_retrieve_options *options);

#endif
