/* The CPU engine's work space, kept from run to run: in the steady state nothing is allocated. */
#ifndef VB_ENGINE_WORK_H
#define VB_ENGINE_WORK_H

#include "kernels/base/scratch.h"
#include "kernels/towers/text_order.h"

/* Of one run at a time; all zeros has nothing yet. Several programs may take turns in one: it is as large as the largest run. */
typedef struct vb_engine_work {
    vb_scratch values;    /* the program's */
    vb_scratch lists;     /* offsets of items */
    vb_scratch rows, out; /* of texts: where rows are that they share, and a piece's embeddings */
    vb_scratch tiles, marks;
    vb_text_order order;
    struct vb_engine_work *next; /* for whoever keeps several */
} vb_engine_work;

void vb_engine_work_free(vb_engine_work *work); /* it may be used again */

/* As many of them as runs went on at one time: for a model that several threads use at once. */
typedef struct vb_engine_works vb_engine_works;

int vb_engine_work_open(vb_engine_works **works, vb_error *err);
/* One that no other run has, for vb_engine_work_give. Thread-safe. NULL for lack of memory. */
vb_engine_work *vb_engine_work_take(vb_engine_works *works, vb_error *err);
void vb_engine_work_give(vb_engine_works *works, vb_engine_work *work);
/* Frees what no run has. */
void vb_engine_work_rest(vb_engine_works *works);
void vb_engine_work_close(vb_engine_works *works); /* all given back; NULL is fine */

#endif
