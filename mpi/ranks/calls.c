/* Calls of MPI that wait: blocking, or begun and looked at. */
#include "mpi/ranks/calls.h"

#include <sched.h>
#include <string.h>
#include <time.h>

void vb_calls_pause_once(vb_calls_pause *pause) {
    /* Most waits are short: they end while others are given the core, which of many ranks takes a turn or two, and with nobody
     * else there many. A sleep of an eighth of all sleep before it delays what passes through some ranks in turn by less than the
     * wait has taken. */
    enum { YIELDED = 20000, SHORTEST = 20000, LONGEST = 5000000, SHARE = 8 };
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    if (!pause->begun) pause->begun = ns;
    if (!pause->slept && ns - pause->begun < YIELDED) {
        sched_yield();
        return;
    }
    int64_t step = SHORTEST + pause->slept / SHARE;
    if (step > LONGEST) step = LONGEST;
    else pause->slept += step; /* a day of waiting does not run over */
    const struct timespec moment = {.tv_nsec = step};
    nanosleep(&moment, NULL);
}

/* code: of the call that began the request. */
static int wait_for(MPI_Request *request, int code) {
    vb_calls_pause pause = {0};
    for (int done = 0; code == MPI_SUCCESS;) {
        code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) break;
        if (code == MPI_SUCCESS) vb_calls_pause_once(&pause);
    }
    return code;
}

int vb_calls_broadcast(MPI_Comm mpi, bool sleeps, void *bytes, int count, int root) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    if (!sleeps) return MPI_Bcast(bytes, count, MPI_BYTE, root, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Ibcast(bytes, count, MPI_BYTE, root, mpi, &request));
}

int vb_calls_allreduce(MPI_Comm mpi, bool sleeps, void *values, int count, MPI_Datatype type, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    if (!sleeps) return MPI_Allreduce(MPI_IN_PLACE, values, count, type, op, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Iallreduce(MPI_IN_PLACE, values, count, type, op, mpi, &request));
}

int vb_calls_reduce(MPI_Comm mpi, bool sleeps, int64_t *values, int count, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    int rank;
    MPI_Comm_rank(mpi, &rank);
    const void *in = rank ? values : MPI_IN_PLACE;
    void *out = rank ? NULL : values;
    if (!sleeps) return MPI_Reduce(in, out, count, MPI_INT64_T, op, 0, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Ireduce(in, out, count, MPI_INT64_T, op, 0, mpi, &request));
}

int vb_calls_reduce_blocks(MPI_Comm mpi, bool sleeps, const void *blocks, void *own, int size, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) {
        memcpy(own, blocks, (size_t)size);
        return MPI_SUCCESS;
    }
    if (!sleeps) return MPI_Reduce_scatter_block(blocks, own, size, MPI_UINT8_T, op, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Ireduce_scatter_block(blocks, own, size, MPI_UINT8_T, op, mpi, &request));
}

int vb_calls_gather(MPI_Comm mpi, bool sleeps, uint64_t mine, uint64_t *all) {
    if (mpi == MPI_COMM_NULL) {
        *all = mine;
        return MPI_SUCCESS;
    }
    if (!sleeps) return MPI_Gather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, 0, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Igather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, 0, mpi, &request));
}

int vb_calls_allgather(MPI_Comm mpi, bool sleeps, const void *piece, void *all, const int *counts, const int *offsets,
                       MPI_Datatype row) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    int rank;
    MPI_Comm_rank(mpi, &rank);
    if (!sleeps) return MPI_Allgatherv(piece, counts[rank], row, all, counts, offsets, row, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Iallgatherv(piece, counts[rank], row, all, counts, offsets, row, mpi, &request));
}

int vb_calls_send(MPI_Comm mpi, bool sleeps, const void *bytes, int count, int to, int tag) {
    if (!sleeps) return MPI_Send(bytes, count, MPI_BYTE, to, tag, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Isend(bytes, count, MPI_BYTE, to, tag, mpi, &request));
}

int vb_calls_receive(MPI_Comm mpi, bool sleeps, void *bytes, int count, int from, int tag) {
    if (!sleeps) return MPI_Recv(bytes, count, MPI_BYTE, from, tag, mpi, MPI_STATUS_IGNORE);
    MPI_Request request;
    return wait_for(&request, MPI_Irecv(bytes, count, MPI_BYTE, from, tag, mpi, &request));
}
