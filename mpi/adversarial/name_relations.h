/* What adversarial names are, by WordNet, to the classes whose images they take: the theft may be a right answer. */
#ifndef VB_NAME_RELATIONS_H
#define VB_NAME_RELATIONS_H

#include <jansson.h>

#include "mpi/evaluate/candidates.h"

/* Adds `relations`, `true_share` and `taken_true_share` (docs/analyses.md) to an entry of `adversarial`: of `count` chosen names
 * of the pool, by_class[i * classes + c] images of class c each. Without a WordNet in the pool all is null. Local. */
int vb_name_relations_add(json_t *entry, const vb_candidates *pool, const vb_vocabularies *vocabularies, const int *chosen,
                          int count, const int64_t *by_class, vb_error *err);

#endif
