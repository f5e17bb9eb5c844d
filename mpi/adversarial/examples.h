/* Examples of the images that adversarial names take: the same few at any number of ranks. */
#ifndef VB_EXAMPLES_H
#define VB_EXAMPLES_H

#include <jansson.h>

#include "kernels/openness/cover.h"
#include "mpi/ranks/comm.h"
#include "mpi/encode/image_source.h"

enum { VB_EXAMPLES = 6 }; /* of a name */

/* A list for each of the k chosen candidates, of up to VB_EXAMPLES images that it takes beyond those before it: the first image
 * of each class in the order of the data, then the second ones, and so on. places[i] is the place of the cover's image i. On rank
 * 0 *lists
 * (owned by the caller) holds k lists of {"image": name, "class": name, "place": number}; NULL elsewhere. Collective. */
int vb_examples_json(vb_comm *comm, const vb_cover *cover, const int64_t *places, const int *chosen, int k,
                     const vb_image_source *source, json_t **lists, vb_error *err);

#endif
