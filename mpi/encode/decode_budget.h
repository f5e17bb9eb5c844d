/* The memory that a rank may take for decoding: asked for before it is taken, given in the order of asking. */
#ifndef VB_DECODE_BUDGET_H
#define VB_DECODE_BUDGET_H

#include <pthread.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_decode_budget {
    uint64_t total, used, most; /* bytes; most: that were used at once */
    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint64_t asked, served; /* tickets */
} vb_decode_budget;

/* mebibytes: 1 or more (experiment key decode_memory). */
void vb_decode_budget_open(vb_decode_budget *budget, int64_t mebibytes);
void vb_decode_budget_close(vb_decode_budget *budget);

/* Waits until `bytes` are free. A thread that asks holds nothing of it, or all would wait for each other. Who asks first gets
 * first, so that a large image has its turn. VB_EMEMORY, naming the image, when the budget is smaller. Thread-safe. */
int vb_decode_budget_take(vb_decode_budget *budget, uint64_t bytes, const char *name, int width, int height, vb_error *err);
void vb_decode_budget_give(vb_decode_budget *budget, uint64_t bytes); /* back; thread-safe */

#endif
