/* The embeddings of one unit's images, and what is known of each. */
#ifndef VB_UNIT_ROWS_H
#define VB_UNIT_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/base/error.h"
#include "shards/files/digest.h"

/* One unit's images whose class is in a vocabulary. */
typedef struct vb_unit_rows {
    int count, dim;
    float *rows;      /* count x dim, finite, not zero */
    int *classes;     /* where labels are sets, the first one listed */
    char **names;     /* for records and messages */
    int64_t *places;  /* in the order of the data, from 0: samples of the dataset, rows of the file */
    json_t *skipped;  /* broken images of the unit, or NULL: sample, reason, class */
    int outside;      /* images of no vocabulary's class */
    bool encoded;     /* computed now rather than found in the cache */
    vb_digest digest; /* of names, labels and bytes; empty when the unit held no image of a vocabulary and was not read */
} vb_unit_rows;

/* Room for `count` images in *rows, which is empty. VB_EMEMORY. */
int vb_unit_rows_allocate(vb_unit_rows *rows, int count, int dim, vb_error *err);
void vb_unit_rows_free(vb_unit_rows *rows); /* also in part */

/* Takes out an image; puts an image into another's place, which is free. */
void vb_unit_rows_drop(vb_unit_rows *rows, int from);
void vb_unit_rows_move(vb_unit_rows *rows, int to, int from);

#endif
