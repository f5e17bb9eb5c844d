/* The memory that a rank may take for decoding: asked for before it is taken, given in the order of asking. */
#ifndef VB_DECODE_BUDGET_H
#define VB_DECODE_BUDGET_H

#include <pthread.h>
#include <stdint.h>

#include "kernels/base/error.h"

/* MiB a rank, where nothing is stated (experiment key decode_memory), and the least that can be. */
enum { VB_DECODE_BUDGET_USUAL = 512, VB_DECODE_BUDGET_LEAST = 1 };

typedef struct vb_decode_budget {
    uint64_t total, used, most; /* bytes; most: that were used at once */
    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint64_t asked, served; /* tickets */
} vb_decode_budget;

/* mebibytes: 0: as usual. */
void vb_decode_budget_open(vb_decode_budget *budget, int64_t mebibytes);
void vb_decode_budget_close(vb_decode_budget *budget);

/* Waits until `bytes` are free. A thread holds what it got by one call at most when it asks. Who asks first gets first, so that a
 * large image has its turn. VB_EMEMORY, naming the image, when the budget is smaller. Thread-safe. */
int vb_decode_budget_take(vb_decode_budget *budget, uint64_t bytes, const char *name, int width, int height, vb_error *err);
void vb_decode_budget_give(vb_decode_budget *budget, uint64_t bytes); /* back; thread-safe */

#endif
