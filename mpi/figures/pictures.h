/* Small copies of a dataset's images as parts of a page: found by their place in the data, checked by their name. Local. */
#ifndef VB_PICTURES_H
#define VB_PICTURES_H

#include "mpi/figures/section.h"
#include "shards/datasets/dataset.h"

typedef struct vb_pictures {
    vb_dataset *dataset; /* NULL: none can be had */
    vb_error reason;     /* why there are none, or not all; the first one counts */
    int64_t unit;        /* in hand, -1: none */
    vb_unit_data data;
    int64_t labelled; /* the unit whose names are in hand, -1: none; and where the search among them goes on */
    vb_unit_data names;
    int next;
} vb_pictures;

/* The dataset where the run found it, or the run of those that were merged. Close in any case. */
void vb_pictures_open(vb_pictures *pictures, const vb_section_result *it);
void vb_pictures_close(vb_pictures *pictures);

/* Appends a list item with the image of that place, as <img> with class and name as its text. -1 with VB_EMEMORY; where the image
 * cannot be had nothing is appended and `reason` says why. */
int vb_pictures_put(vb_pictures *pictures, int64_t place, const char *name, const char *class, vb_strbuf *out, vb_error *err);

/* The place of the next image of that name, in the order of the data: to be asked for names in that order. -1: there is none. */
int64_t vb_pictures_find(vb_pictures *pictures, const char *name);

#endif
