/* Memory that the ranks of a machine share, for what all of them read and each makes a part of.
 *
 * It has no name anywhere: nothing of it is left when the ranks end, however they do. */
#ifndef VB_NODE_MEMORY_H
#define VB_NODE_MEMORY_H

#include "mpi/ranks/comm.h"

typedef struct vb_node_memory {
    void *data; /* aligned to 64 bytes; NULL: none */
    size_t size;
    int part, parts; /* this rank's number among those that share it, and how many they are */
    bool mapped;     /* by the ranks of a machine together; else it is this rank's own */
} vb_node_memory;

/* `size` bytes for the ranks of comm on each machine; `tag`: what they must agree in besides. Without an error there is none
 * where size is 0, where the ranks of a machine differ in size or tag, and where the system does not let one open what another
 * has made: with a note then, of the machine's first rank. VB_EMEMORY. Collective. */
int vb_node_memory_open(vb_node_memory *memory, vb_comm *comm, size_t size, int tag, const char *what, vb_error *err);
void vb_node_memory_close(vb_node_memory *memory); /* local; {0} is fine */

#endif
