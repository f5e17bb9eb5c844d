/* The labels of precomputed embeddings: an array of integers, or a list of texts, one an image. */
#ifndef VB_PRECOMPUTED_LABELS_H
#define VB_PRECOMPUTED_LABELS_H

#include "mpi/encode/class_sets.h"
#include "mpi/encode/dataset_state.h"

/* The class of every row of spec->image_embeddings, -1: of no class; where labels are sets (*sets, else empty), the first one
 * listed. Integers index spec->label_names, where it is given; all
 * labels are then resolved as those of images are (shards/text/label_match.h), but -1, which states that there is none. *counts:
 * of the labels. VB_EMISMATCH, VB_EDATA: file, row, found, expected; the faults of vb_dataset_state_check_labels. Local; free the
 * sets with vb_class_sets_free, also after a failure. */
int vb_precomputed_labels_read(int *classes, vb_class_sets *sets, vb_label_counts *counts, const vb_dataset_state *data,
                               const vb_embeddings_spec *spec, int64_t rows, vb_error *err);

/* Reads the labels for what is wrong with them, so that it is known before anything is encoded, and counts the images that are
 * evaluated: of a class, and within the limit. Local. */
int vb_precomputed_labels_check(const vb_dataset_state *data, const vb_embeddings_spec *spec, int64_t *images, vb_error *err);

#endif
