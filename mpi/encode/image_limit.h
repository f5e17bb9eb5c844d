/* The key `limit`: of every class the first images of a dataset alone, for a quick look. */
#ifndef VB_IMAGE_LIMIT_H
#define VB_IMAGE_LIMIT_H

#include "mpi/encode/dataset_state.h"

/* Notes in a surveyed dataset which images are kept: of each class the first `limit` in the dataset's order, all where it is not
 * above 0 or the images do not matter (no index). class_images counts those; state->beyond gets how many are left out. Rank 0
 * decides. VB_EMISMATCH: where labels are sets, a vocabulary is left without images. Collective. */
int vb_image_limit_apply(vb_dataset_state *state, vb_context *context, int64_t limit, vb_error *err);

/* The class of every row of precomputed embeddings (sets: theirs, or without any): those beyond the limit become
 * VB_IMAGE_LIMIT_BEYOND. VB_EMISMATCH as above. Local. */
enum { VB_IMAGE_LIMIT_BEYOND = -2 };
int vb_image_limit_rows(int *classes, const vb_class_sets *sets, int64_t rows, const vb_dataset_state *state, vb_error *err);

#endif
