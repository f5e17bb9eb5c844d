/* What a run of an experiment will take: units, bytes, memory. */
#ifndef VB_PLAN_H
#define VB_PLAN_H

#include <stdbool.h>

#include "mpi/experiment/experiment.h"

typedef struct vb_plan_sizes {
    int64_t units;         /* of all pairs: so many pieces the work can be cut into */
    int64_t pair_units;    /* of the pair that has most */
    int64_t scan_pieces;   /* of the corpus that has most, of those that are scanned */
    int64_t read_bytes;    /* images and weights */
    int64_t sent_bytes;    /* by a rank */
    int64_t write_bytes;   /* embeddings that come into the cache */
    int64_t memory_a_rank; /* bytes */
    int64_t all_weights;   /* bytes of weights, which are mapped once a node: of all models, */
    int64_t largest_model; /* of the largest alone, */
    int64_t node_weights;  /* and of the largest that may be on one node at once */
} vb_plan_sizes;

/* Opens every file of the experiment that a run would open, and encodes nothing. `print` lists pairs, groups and totals on the
 * standard output. Local, but MPI must have been started. */
int vb_plan(const vb_experiment *experiment, int ranks, int64_t ranks_a_node, bool print, vb_plan_sizes *sizes, vb_error *err);

#endif
