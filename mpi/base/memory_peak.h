/* How much memory this process took at most. */
#ifndef VB_MEMORY_PEAK_H
#define VB_MEMORY_PEAK_H

#include <stdint.h>

/* Memory of this process. `resident` is the largest resident set so far. `share` is the same at its worst moment with pages that
 * several processes map counted in parts (the kernel's proportional set size): the sum over a machine counts each of them
 * once. */
typedef struct vb_memory_peak {
    int64_t resident, share; /* bytes */
} vb_memory_peak;

/* To be called while everything of a unit is still mapped, on all ranks that map the same before one of them unmaps it: takes the
 * peak since the last call. Local; what cannot be read (no /proc) stays 0. */
void vb_memory_peak_note(vb_memory_peak *peak);

#endif
