/* Work space that its owner keeps from call to call, so that nothing is allocated once the largest call has been seen.
 *
 * All zeros is one that has nothing yet. Whoever takes it has all of it until he gives it back; what it held is not kept. Not
 * thread-safe: a scratch belongs to one caller at a time. */
#ifndef VB_SCRATCH_H
#define VB_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/base/error.h"

typedef struct vb_scratch {
    void *data;
    size_t bytes;
    bool taken;
} vb_scratch;

/* count * size bytes as vb_buffer gives them, from what is kept where that is enough. Else what is kept is freed before more is
 * asked for, so that never both are held. kept NULL: allocated here, freed by vb_scratch_give. NULL with VB_EMEMORY. */
void *vb_scratch_take(vb_scratch *kept, size_t count, size_t size, const char *what, vb_error *err);

/* NULL of `work` is fine. */
void vb_scratch_give(vb_scratch *kept, void *work);

/* Frees what is kept; it may be used again. */
void vb_scratch_free(vb_scratch *kept);

#endif
