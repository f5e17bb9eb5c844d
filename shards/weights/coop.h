/* CoOp's learned context vectors, from the prompt learner's checkpoint as Dassl writes it. */
#ifndef VB_COOP_H
#define VB_COOP_H

#include "kernels/base/error.h"

typedef struct vb_coop {
    /* 0: one context for all classes; otherwise class-specific contexts (CSC), in the order of the training's class list */
    int classes;
    int contexts;   /* vectors before, around or behind the class name */
    int width;      /* of the text tower that they were trained for */
    float *context; /* contexts x width, or classes x contexts x width */
} vb_coop;

/* Reads the tensor `ctx` of a checkpoint in any container of shards/weights/weights.h, wherever it is nested. VB_EMISMATCH when
 * the file holds none, VB_EDATA when it has other than two or three dimensions or holds NaN or infinity. Free with vb_coop_free.
 * Thread-safe. */
int vb_coop_read(vb_coop *coop, const char *path, vb_error *err);
void vb_coop_free(vb_coop *coop); /* {0} is fine */

#endif
