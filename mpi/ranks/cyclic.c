/* Numbers of the block-cyclic split. */
#include "mpi/ranks/cyclic.h"

#include <assert.h>

enum { BLOCK = VB_CYCLIC_BLOCK };

/* What ScaLAPACK's numroc gives: whole rounds, then a whole block, the last one, or none. */
int vb_cyclic_count(int total, int rank, int ranks) {
    assert(total >= 0 && rank >= 0 && rank < ranks);
    int blocks = total / BLOCK, over = blocks % ranks;
    return blocks / ranks * BLOCK + (rank < over ? BLOCK : rank == over ? total % BLOCK : 0);
}

int vb_cyclic_index(int local, int rank, int ranks) {
    assert(local >= 0 && rank >= 0 && rank < ranks);
    return (local / BLOCK * ranks + rank) * BLOCK + local % BLOCK;
}

int vb_cyclic_place(int index, int ranks, int *rank) {
    assert(index >= 0 && ranks > 0);
    *rank = index / BLOCK % ranks;
    return index / BLOCK / ranks * BLOCK + index % BLOCK;
}
