/* Sets of right labels, one an image: a JSON list of lists of integers or texts, or an object of such lists by image.
 *
 *   [[], [970, 795], [230, 231], ...]                       ReaL's labels of ImageNet's validation images, in their order
 *   [["alp", "ski"], ["sheepdog"], ...]
 *   {"ILSVRC2012_val_00000002": [970, 795], ...}            by the images' names */
#ifndef VB_LABEL_SETS_H
#define VB_LABEL_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/base/strings.h"

enum { VB_LABEL_SETS_MOST = 4096 }; /* labels of a set: the costs of judging grow with their square */

typedef struct vb_label_sets {
    size_t count;    /* images */
    size_t *offsets; /* count + 1: the labels of image i are of[offsets[i]] .. of[offsets[i+1]-1], indices into `distinct` */
    int *of;
    vb_strings distinct; /* labels as texts: integers in decimal, blanks around texts dropped; sorted in byte order */
    vb_strings names;    /* of an object: the images', in the file's order; of a list empty */
} vb_label_sets;

/* Whether a file holds sets: it ends in .json, and its value is an object, or a list whose first item is a list. VB_EDATA for
 * what is no JSON. *known: true with the value in *sets; free with vb_label_sets_free, also after a failure.
 *
 * VB_EDATA with file and image (from 0, or its name): an item that is no list, a label that is neither text nor integer of 0 or
 * more, an empty text, a label twice in a set. An image may have an empty set. VB_EMISSING: no images. */
int vb_label_sets_read(vb_label_sets *sets, bool *known, const char *path, vb_error *err);
void vb_label_sets_free(vb_label_sets *sets); /* {0} is fine */

#endif
