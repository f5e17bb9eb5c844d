/* The core of multi-head attention over a batch of sequences of any lengths: softmax(scale Q K^T) V, head by head.
 *
 * Sequences lie one after the other, a row a token. Heads lie side by side in a row, `head_dim` floats each. A projection that
 * gives queries, keys and values in one row is described by three pointers into it and the same leading dimension. */
#ifndef VB_ATTENTION_H
#define VB_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "kernels/base/scratch.h"

typedef struct vb_attention_batch {
    const float *query, *key, *value; /* row r of head h begins at query + r * ld_query + h * head_dim, and so on */
    int64_t ld_query, ld_key, ld_value;
    int64_t sequences;
    const int64_t *offsets; /* sequences + 1 entries: sequence s has rows offsets[s] .. offsets[s + 1] - 1 of key and value */
    const int64_t *query_offsets; /* the same for the rows of query and out (an attention pool has one row); NULL: offsets */
    const int64_t *rows;          /* the j-th key and value is row rows[j], which sequences may share; NULL: row j */
    int heads, head_dim;
    bool causal;           /* the last query sees every key, the one before it one key less, and so on */
    const uint8_t *hidden; /* a byte a key: not 0 where no query sees it, which is no sequence's first; NULL: none */
    float scale;           /* above 0, normally 1 / sqrt(head_dim) */
    vb_scratch *scratch;   /* where work space comes from; NULL: it is allocated and freed inside */
} vb_attention_batch;

/* out: a row for each query row, `ld_out` floats apart, heads * head_dim floats each; must not overlap the inputs. A query that
 * sees no key gives zeros.
 *
 * For each query and head: a score is one chain of fused multiply-adds over the head's columns, starting at 0; weights are the
 * softmax (vb_layers_softmax, with `scale`) of the scores of the keys that the query sees, a hidden one's being minus infinity;
 * each column of out is one chain of weight times value over these keys in their order, starting at 0. Bits depend on nothing
 * else: not on the batch, `threads`, or the instruction set level (attention_reference.h has the loops). So a causal row is the
 * same whatever follows it.
 *
 * `threads` >= 1 OpenMP threads share the (sequence, head) pairs; 1 may be called inside a parallel region, each call with a
 * scratch of its own or none. Work space a thread: one head's keys and values and a few rows of its scores. Fails only for lack
 * of memory. */
int vb_attention(const vb_attention_batch *batch, float *out, int64_t ld_out, int threads, vb_error *err);

#endif
