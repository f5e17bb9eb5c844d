/* Memory of a pickle's values: many small blocks that live and die together, bounded in all. */
#ifndef VB_PICKLE_MEMORY_H
#define VB_PICKLE_MEMORY_H

#include <stddef.h>

#include "kernels/base/error.h"

enum { VB_PICKLE_MEMORY_BYTES = 512 << 20 }; /* at most */

typedef struct vb_pickle_chunk vb_pickle_chunk;

typedef struct vb_pickle_memory {
    vb_pickle_chunk *chunks;
    size_t bytes;
} vb_pickle_memory; /* {0} is empty */

/* `size` zeroed bytes, aligned for every type, valid until vb_pickle_memory_free. NULL with VB_EDATA over the bound, with
 * VB_EMEMORY when there is no memory. Not thread-safe. */
void *vb_pickle_memory_get(vb_pickle_memory *memory, size_t size, vb_error *err);
void vb_pickle_memory_free(vb_pickle_memory *memory); /* leaves {0} */

#endif
