/* Calls of MPI that wait: blocking, or begun and looked at. */
#include "mpi/ranks/calls.h"

#include <sched.h>
#include <string.h>
#include <time.h>

void vb_calls_pause_once(vb_calls_pause *pause) {
    /* Most waits are short: they end while others are given the core, which of many ranks takes a turn or two, and with nobody
     * else there many. A sleep of an eighth of all sleep before it delays what passes through some ranks in turn by less than the
     * wait has taken. */
    enum { YIELDED = 20000, YIELDED_MOVING = 20000000, SHORTEST = 20000, LONGEST = 5000000, SHARE = 8 };
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    if (!pause->begun) pause->begun = ns;
    if (!pause->slept && ns - pause->begun < (pause->moving ? YIELDED_MOVING : YIELDED)) {
        sched_yield();
        return;
    }
    int64_t step = SHORTEST + (pause->moving ? 0 : pause->slept / SHARE);
    if (step > LONGEST) step = LONGEST;
    else pause->slept += step; /* a day of waiting does not run over */
    const struct timespec moment = {.tv_nsec = step};
    nanosleep(&moment, NULL);
}

/* MPI moves many bytes by pieces of some KiB, each of which needs a look of both sides: with sleeps as long as those of a rank
 * that has had to wait, two ranks took 6 s to add up 9 MB. So all come together first, and nobody sleeps long after that. */
enum { LARGE = 16384 };

/* code: of the call that began the request; bytes: that it moves. */
static int wait_for(MPI_Request *request, int code, int64_t bytes) {
    vb_calls_pause pause = {.moving = bytes >= LARGE};
    for (int done = 0; code == MPI_SUCCESS;) {
        code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) break;
        if (code == MPI_SUCCESS) vb_calls_pause_once(&pause);
    }
    return code;
}

static int come_together(MPI_Comm mpi, int64_t bytes) {
    if (bytes < LARGE) return MPI_SUCCESS;
    MPI_Request request;
    return wait_for(&request, MPI_Ibarrier(mpi, &request), 0);
}

int vb_calls_broadcast(MPI_Comm mpi, bool sleeps, void *bytes, int count, int root) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    if (!sleeps) return MPI_Bcast(bytes, count, MPI_BYTE, root, mpi);
    int code = come_together(mpi, count);
    if (code != MPI_SUCCESS) return code;
    MPI_Request request;
    return wait_for(&request, MPI_Ibcast(bytes, count, MPI_BYTE, root, mpi, &request), count);
}

int vb_calls_allreduce(MPI_Comm mpi, bool sleeps, void *values, int count, MPI_Datatype type, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    if (!sleeps) return MPI_Allreduce(MPI_IN_PLACE, values, count, type, op, mpi);
    int width;
    MPI_Type_size(type, &width);
    const int64_t moved = (int64_t)count * width;
    int code = come_together(mpi, moved);
    if (code != MPI_SUCCESS) return code;
    MPI_Request request;
    return wait_for(&request, MPI_Iallreduce(MPI_IN_PLACE, values, count, type, op, mpi, &request), moved);
}

int vb_calls_reduce(MPI_Comm mpi, bool sleeps, int64_t *values, int count, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    int rank;
    MPI_Comm_rank(mpi, &rank);
    const void *in = rank ? values : MPI_IN_PLACE;
    void *out = rank ? NULL : values;
    if (!sleeps) return MPI_Reduce(in, out, count, MPI_INT64_T, op, 0, mpi);
    const int64_t moved = count * (int64_t)sizeof *values;
    int code = come_together(mpi, moved);
    if (code != MPI_SUCCESS) return code;
    MPI_Request request;
    return wait_for(&request, MPI_Ireduce(in, out, count, MPI_INT64_T, op, 0, mpi, &request), moved);
}

int vb_calls_reduce_blocks(MPI_Comm mpi, bool sleeps, const void *blocks, void *own, int size, MPI_Op op) {
    if (mpi == MPI_COMM_NULL) {
        memcpy(own, blocks, (size_t)size);
        return MPI_SUCCESS;
    }
    if (!sleeps) return MPI_Reduce_scatter_block(blocks, own, size, MPI_UINT8_T, op, mpi);
    int code = come_together(mpi, size);
    if (code != MPI_SUCCESS) return code;
    MPI_Request request;
    return wait_for(&request, MPI_Ireduce_scatter_block(blocks, own, size, MPI_UINT8_T, op, mpi, &request), size);
}

int vb_calls_gather(MPI_Comm mpi, bool sleeps, uint64_t mine, uint64_t *all) {
    if (mpi == MPI_COMM_NULL) {
        *all = mine;
        return MPI_SUCCESS;
    }
    if (!sleeps) return MPI_Gather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, 0, mpi);
    MPI_Request request;
    return wait_for(&request, MPI_Igather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, 0, mpi, &request), 0);
}

int vb_calls_allgather(MPI_Comm mpi, bool sleeps, const void *piece, void *all, const int *counts, const int *offsets,
                       MPI_Datatype row) {
    if (mpi == MPI_COMM_NULL) return MPI_SUCCESS;
    int rank, ranks, width;
    MPI_Comm_rank(mpi, &rank);
    if (!sleeps) return MPI_Allgatherv(piece, counts[rank], row, all, counts, offsets, row, mpi);
    MPI_Comm_size(mpi, &ranks);
    MPI_Type_size(row, &width);
    int64_t moved = 0;
    for (int r = 0; r < ranks; r++) moved += (int64_t)counts[r] * width;
    int code = come_together(mpi, moved);
    if (code != MPI_SUCCESS) return code;
    MPI_Request request;
    return wait_for(&request, MPI_Iallgatherv(piece, counts[rank], row, all, counts, offsets, row, mpi, &request), moved);
}

int vb_calls_send(MPI_Comm mpi, bool sleeps, const void *bytes, int count, int to, int tag) {
    if (!sleeps) return MPI_Send(bytes, count, MPI_BYTE, to, tag, mpi);
    MPI_Request request;
    if (count >= LARGE) { /* the receiver has come when it says so */
        int code = wait_for(&request, MPI_Irecv(NULL, 0, MPI_BYTE, to, tag, mpi, &request), 0);
        if (code != MPI_SUCCESS) return code;
    }
    return wait_for(&request, MPI_Isend(bytes, count, MPI_BYTE, to, tag, mpi, &request), count);
}

int vb_calls_receive(MPI_Comm mpi, bool sleeps, void *bytes, int count, int from, int tag) {
    if (!sleeps) return MPI_Recv(bytes, count, MPI_BYTE, from, tag, mpi, MPI_STATUS_IGNORE);
    MPI_Request request;
    if (count >= LARGE) {
        int code = wait_for(&request, MPI_Isend(NULL, 0, MPI_BYTE, from, tag, mpi, &request), 0);
        if (code != MPI_SUCCESS) return code;
    }
    return wait_for(&request, MPI_Irecv(bytes, count, MPI_BYTE, from, tag, mpi, &request), count);
}
