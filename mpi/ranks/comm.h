/* The thin layer over MPI: agreement on errors, large broadcasts and gathers, byte counts, and an alarm between steps.
 *
 * Every function here is collective over comm unless it says "local". A local error is carried to the next vb_comm_agree, never
 * out of a collective's middle: all ranks always make the same sequence of calls. */
#ifndef VB_COMM_H
#define VB_COMM_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/base/error.h"

typedef struct vb_comm {
    MPI_Comm mpi;          /* MPI_COMM_NULL of a process alone, which needs no MPI */
    struct vb_comm *above; /* the comm that this one is a part of, whose alarms count here too; NULL for the world */
    int rank, size;
    int world_rank;           /* the name of this rank in messages */
    int node_rank, node_size; /* place among the ranks of this machine */
    int node;                 /* which machine it is: the world rank of the first of them */
    int node_cores;           /* that the ranks of this machine may use together */
    int own_cores, sharing;   /* that this rank may use, and how many of those ranks may use one of them, itself counted */
    bool sleeps;              /* ranks that wait leave their cores to others: mpi/ranks/calls.h; the same on all */
    uint64_t sent, received;  /* payload bytes of this rank's calls below */
    bool raised, heard;       /* since the last agreement this rank has raised the alarm, or heard of another's */
    MPI_Request *alarm_sends;
    int alarm_token;
} vb_comm;

int vb_comm_open(vb_comm *comm, MPI_Comm mpi, vb_error *err);
/* Local: of this process alone, whether MPI runs or not. */
int vb_comm_open_alone(vb_comm *comm, vb_error *err);
/* Starts MPI, unless it runs: at the program's start, or later where a process alone meets what cannot do without. The end is the
 * program's.
 * fails: handles SIGSEGV from then on. While MPI_Finalize closes the plugins of Open MPI 4.1, a thread of it may still have
 * something in its queue, as that the connection to mpirun is closed, for which a function of a plugin is called that has left
 * the memory by then. mpirun has been told of the end before: a rank with nothing left to do may end with its code. */
int vb_comm_start_mpi(vb_error *err);
void vb_comm_end_mpi(void (*fails)(int));
void vb_comm_close(vb_comm *comm);

/* Agrees on the worst status: 0 everywhere when all ranks pass 0; otherwise -1 everywhere with *err that of the lowest failing
 * rank
 * (VB_EINCOMPLETE yields to any other error, and that of a rank which only heard the alarm to that of one which knows why). Also
 * ends an alarm of this comm. Errors of MPI itself are VB_EMPI. */
int vb_comm_agree(vb_comm *comm, int status, vb_error *err);

/* Local: tells all other ranks, also those of the comms above, to stop at their next look; to be followed by vb_comm_agree on
 * every rank. */
void vb_comm_alarm_raise(vb_comm *comm);
/* Local: whether some rank has raised the alarm here or above. Cheap. */
bool vb_comm_alarm_heard(vb_comm *comm);

/* Local: 0, or -1 with VB_EMPI naming the call when `code` is no success (or a fault was injected). For calls of MPI made
 * elsewhere. */
int vb_comm_check(const vb_comm *comm, int code, const char *call, vb_error *err);
/* Local: a moment for MPI to serve what other ranks ask of this one, to be called now and then where long work makes no call of
 * MPI. */
void vb_comm_progress(void);

/* Sends size bytes from rank 0, or from rank `root`, to all, in chunks below 1 GiB. */
int vb_comm_broadcast_from(vb_comm *comm, int root, void *bytes, size_t size, vb_error *err);
int vb_comm_broadcast(vb_comm *comm, void *bytes, size_t size, vb_error *err);
/* The same for a block whose size only rank 0 knows: elsewhere *bytes is allocated (free with vb_free). On rank 0 *bytes is sent
 * as it is. */
int vb_comm_broadcast_block(vb_comm *comm, void **bytes, size_t *size, vb_error *err);

/* Agrees on `status`, and on having seen the same: where a rank's text differs from rank 0's, VB_EMISMATCH names `what` and both.
 * For what every rank reads or decides by itself, and what steers the calls that follow. `seen`: fewer than 256 bytes. */
int vb_comm_agree_same(vb_comm *comm, int status, const char *seen, const char *what, vb_error *err);

/* All ranks' pieces of an array of `total` rows of row_bytes each, in place in `rows` on every rank: rank r contributes the rows
 * vb_comm_range_of_rank gives it. Works where ranks have no rows; in chunks below 1 GiB. */
int vb_comm_allgather_rows(vb_comm *comm, void *rows, int64_t total, size_t row_bytes, vb_error *err);

/* A block of bytes of every rank. */
typedef struct vb_blocks {
    int count;    /* ranks; 0 where there are none */
    void **bytes; /* of rank r, with a NUL behind them that is not counted */
    size_t *sizes;
} vb_blocks;

/* Every rank's block to rank 0; *blocks is empty elsewhere, and after a failure. Free with vb_comm_blocks_free. */
int vb_comm_gather(vb_comm *comm, const void *bytes, size_t size, vb_blocks *blocks, vb_error *err);
/* Local; also of what is empty. A block that was freed before is NULL. */
void vb_comm_blocks_free(vb_blocks *blocks);
/* Local: the blocks end to end, in the order of the ranks, *size bytes. Free with vb_free. NULL without memory. */
void *vb_comm_blocks_join(const vb_blocks *blocks, const char *what, size_t *size, vb_error *err);

/* Element-wise sum of int64 counters to rank 0, in place. */
int vb_comm_sum_to_root(vb_comm *comm, int64_t *counters, size_t count, vb_error *err);
/* Bits that are set on any rank, on all ranks, in place; size is a multiple of 4. */
int vb_comm_or_bits(vb_comm *comm, void *bits, size_t size, vb_error *err);
/* comm->size blocks of `size` bytes, rank r's being block r: *own gets this rank's, the bits of all ranks joined. */
int vb_comm_or_blocks(vb_comm *comm, const void *blocks, void *own, size_t size, vb_error *err);
/* Element-wise maximum on all ranks, in place. */
int vb_comm_max(vb_comm *comm, int64_t *values, size_t count, vb_error *err);

/* Local: the contiguous share of `total` items that rank r of n has: [*first, *first + count). */
int64_t vb_comm_range_of_rank(int64_t total, int rank, int size, int64_t *first);

#endif
