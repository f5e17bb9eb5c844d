/* The calls of MPI in which ranks wait for each other.
 *
 * Blocking calls of MPI spin until the others have come, which is quickest where every rank has a core. Where ranks share cores
 * the one that waits takes the time of those it waits for, and of their threads: there (`sleeps`) the same operations are begun
 * and looked at now and then, with sleep in between. The bytes are the same. A process alone (`mpi` is MPI_COMM_NULL) has nobody
 * to wait for, and no MPI.
 *
 * All are collective over `mpi`, with the same `sleeps` on all ranks, and return MPI's code. */
#ifndef VB_CALLS_H
#define VB_CALLS_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

/* A wait that goes on: zero at its start. */
typedef struct vb_calls_pause {
    int64_t begun, slept; /* ns */
    bool moving;          /* all have come: what is waited for are turns of others that move bytes */
} vb_calls_pause;

/* Local: between two looks at what is waited for. The first moment only gives the core away; then the wait sleeps, a share
 * of what it has slept already, so that it costs little and ends soon after its cause, however long it takes; but for moments
 * only where bytes are moved, which needs a look of both sides for each piece. */
void vb_calls_pause_once(vb_calls_pause *pause);

int vb_calls_broadcast(MPI_Comm mpi, bool sleeps, void *bytes, int count, int root);
/* In place on every rank. */
int vb_calls_allreduce(MPI_Comm mpi, bool sleeps, void *values, int count, MPI_Datatype type, MPI_Op op);
/* Of int64, in place on rank 0. */
int vb_calls_reduce(MPI_Comm mpi, bool sleeps, int64_t *values, int count, MPI_Op op);
/* `size` bytes of every rank, of which rank r gets block r. */
int vb_calls_reduce_blocks(MPI_Comm mpi, bool sleeps, const void *blocks, void *own, int size, MPI_Op op);
/* One number of every rank to rank 0. */
int vb_calls_gather(MPI_Comm mpi, bool sleeps, uint64_t mine, uint64_t *all);
/* counts[r] rows of rank r at offsets[r] of `all`, on every rank; piece: this rank's, or MPI_IN_PLACE; a process alone has it
 * in place. */
int vb_calls_allgather(MPI_Comm mpi, bool sleeps, const void *piece, void *all, const int *counts, const int *offsets,
                       MPI_Datatype row);
/* Bytes of one rank to another, of a count that both know; no two send large ones to each other at once. Not of a process
 * alone. */
int vb_calls_send(MPI_Comm mpi, bool sleeps, const void *bytes, int count, int to, int tag);
int vb_calls_receive(MPI_Comm mpi, bool sleeps, void *bytes, int count, int from, int tag);

#endif
