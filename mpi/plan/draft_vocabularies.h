/* A first vocabulary file from the labels of a dataset: their names, and a guess at their groups. */
#ifndef VB_DRAFT_VOCABULARIES_H
#define VB_DRAFT_VOCABULARIES_H

#include "mpi/base/strbuf.h"
#include "shards/datasets/dataset.h"

/* Appends a vocabulary file of that name with every label of the dataset. Where a shipped vocabulary file has all labels, names
 * and groups are its; WordNet ids that none has are named by WordNet; other labels are names as they stand. Groups that nothing
 * tells are equal parts of the labels in byte order. What was guessed stands in comments. *classes and *groups: how many classes
 * (labels of one name are one) and vocabularies there are. VB_EMISMATCH: no labels, or numbers that nothing names. `path`: of the
 * dataset, for messages. */
int vb_draft_vocabularies(vb_strbuf *out, const vb_dataset *dataset, const char *name, const char *path, int *classes,
                          int *groups, vb_error *err);

#endif
