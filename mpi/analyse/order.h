/* The envelope of a pair's accuracy curve over all orders of arrival. */
#ifndef VB_ORDER_H
#define VB_ORDER_H

#include "mpi/evaluate/evaluate.h"

/* *order (rank 0; NULL elsewhere) gets the worst and best accuracies after every number of arrivals; docs/analyses.md describes
 * it. Rank 0 holds vocabularies / 8 bytes for every right image. Collective. */
int vb_order(vb_context *context, const vb_pair *pair, json_t **order, vb_error *err);

#endif
