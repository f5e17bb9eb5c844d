/* Chunks that are filled from the front and freed together. */
#include "shards/weights/pickle_memory.h"

#include "kernels/base/memory.h"

enum { CHUNK = 32 << 10 };

struct vb_pickle_chunk {
    vb_pickle_chunk *next;
    size_t used, size;
    max_align_t bytes[];
};

void *vb_pickle_memory_get(vb_pickle_memory *memory, size_t size, vb_error *err) {
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    vb_pickle_chunk *c = memory->chunks;
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK / 4 ? size : CHUNK;
        if (room > VB_PICKLE_MEMORY_BYTES - memory->bytes) {
            vb_errorf(err, VB_EDATA, "the pickle asks for more than %d MiB of values", VB_PICKLE_MEMORY_BYTES >> 20);
            return NULL;
        }
        vb_pickle_chunk *fresh = vb_array(1, sizeof *fresh + room, "pickle", err);
        if (!fresh) return NULL;
        memory->bytes += room;
        fresh->size = room;
        /* A chunk of its own for a large block goes behind the one in use, whose room would be lost otherwise. */
        if (room != CHUNK && c) {
            fresh->next = c->next;
            c->next = fresh;
        } else {
            fresh->next = c;
            memory->chunks = fresh;
        }
        c = fresh;
    }
    void *block = (char *)c->bytes + c->used;
    c->used += size;
    return block;
}

void vb_pickle_memory_free(vb_pickle_memory *memory) {
    while (memory->chunks) {
        vb_pickle_chunk *next = memory->chunks->next;
        vb_free(memory->chunks);
        memory->chunks = next;
    }
    *memory = (vb_pickle_memory){0};
}
