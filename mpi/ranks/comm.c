/* The MPI layer: agreement, chunked broadcasts and gathers, the alarm. */
#include "mpi/ranks/comm.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernels/base/fault.h"
#include "kernels/base/memory.h"
#include "mpi/ranks/calls.h"
#include "mpi/ranks/live.h"

/* Open MPI 4.1 counts in int: everything larger is cut. */
enum { CHUNK = 1 << 30, ALARM_TAG = 7001, BLOCK_TAG = 7002 };

int vb_comm_check(const vb_comm *comm, int code, const char *call, vb_error *err) {
    /* An injected failure is reported after the call was made, so that the others are not left waiting. */
    if (code == MPI_SUCCESS && !vb_fault(VB_FAULT_MPI)) return 0;
    char text[MPI_MAX_ERROR_STRING] = "injected fault";
    int n = 0;
    if (code != MPI_SUCCESS) MPI_Error_string(code, text, &n);
    vb_errorf(err, VB_EMPI, "%s: %s", call, text);
    if (err) err->rank = comm->world_rank;
    return -1;
}

void vb_comm_progress(void) {
    int running, waiting;
    MPI_Initialized(&running);
    if (running) MPI_Iprobe(MPI_ANY_SOURCE, ALARM_TAG, MPI_COMM_SELF, &waiting, MPI_STATUS_IGNORE);
}

/* While it starts and ends, Open MPI looks ten thousand times a second whether the other ranks have come: of many ranks on few
 * cores these looks take more of the processors than all that is waited for. A sleep that may end late, by this much, lets some
 * hundred looks do; the ranks meet three times, so that a run takes some milliseconds more at most. */
static void let_sleeps_end_late(bool late) {
    enum { LATE = 2000000 };                            /* ns */
    prctl(PR_SET_TIMERSLACK, late ? LATE : 0, 0, 0, 0); /* 0: what it was before */
}

int vb_comm_start_mpi(vb_error *err) {
    int running, provided;
    MPI_Initialized(&running);
    if (running) return 0;
    /* Open MPI 4.1's UCX component cannot allocate a window across machines over TCP; the others can, on any network. */
    setenv("OMPI_MCA_osc", "^ucx", 0);
    let_sleeps_end_late(true);
    const int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    let_sleeps_end_late(false);
    if (code == MPI_SUCCESS) return 0;
    return vb_errorf(err, VB_EMPI, "MPI cannot start");
}

/* A rank tells mpirun that it is about to end, and PMIx waits for the answer, but for 2 s at most. An mpirun that is that late
 * (of many ranks on few cores) and finds the process gone before it has read the message takes it for one that has crashed, and
 * ends with 1. */
void vb_comm_end_mpi(void (*fails)(int)) {
    enum { ANSWER = 2, LONGER = 5 }; /* s */
    int running;
    MPI_Initialized(&running);
    if (!running) return;
    signal(SIGSEGV, fails);
    let_sleeps_end_late(true);
    const double begin = vb_live_now();
    MPI_Finalize();
    if (vb_live_now() - begin >= ANSWER) sleep(LONGER);
    let_sleeps_end_late(false);
    signal(SIGSEGV, SIG_DFL);
}

/* Which cores this process may use. */
static cpu_set_t find_own_cores(void) {
    cpu_set_t own;
    CPU_ZERO(&own);
    const int failed = sched_getaffinity(0, sizeof own, &own); /* beyond 1024 cores: then it is as if nothing were bound */
    for (int i = 0; failed && i < sysconf(_SC_NPROCESSORS_ONLN) && i < CPU_SETSIZE; i++) CPU_SET(i, &own);
    return own;
}

/* What a rank tells the others of its machine. */
typedef struct core_note {
    cpu_set_t cores;
    int world_rank;
} core_note;

/* Which cores the ranks of a machine may use: bindings and allocations narrow them. */
static int find_cores(vb_comm *comm, MPI_Comm node, vb_error *err) {
    const cpu_set_t own = find_own_cores();
    const core_note note = {.cores = own, .world_rank = comm->world_rank};
    cpu_set_t all;
    core_note *notes = vb_array((size_t)comm->node_size, sizeof *notes, "cores", err);
    if (vb_comm_agree(comm, notes ? 0 : -1, err)) {
        vb_free(notes);
        return -1;
    }
    int status = vb_comm_check(comm, MPI_Allgather(&note, sizeof note, MPI_BYTE, notes, sizeof note, MPI_BYTE, node),
                               "MPI_Allgather", err);
    CPU_ZERO(&all);
    comm->node = notes->world_rank;
    comm->sharing = 0;
    for (int r = 0; !status && r < comm->node_size; r++) {
        cpu_set_t both;
        CPU_OR(&all, &all, &notes[r].cores);
        CPU_AND(&both, &own, &notes[r].cores);
        comm->sharing += CPU_COUNT(&both) > 0;
    }
    comm->node_cores = CPU_COUNT(&all);
    comm->own_cores = CPU_COUNT(&own);
    vb_free(notes);
    return vb_comm_agree(comm, status, err);
}

/* How VOCABENCH_WAIT has ranks wait. */
enum { UNSAID, SPIN, SLEEP };
static int read_waiting(int32_t *waiting, vb_error *err) {
    const char *said = getenv("VOCABENCH_WAIT");
    *waiting = UNSAID;
    if (!said || !*said) return 0;
    if (!strcmp(said, "sleep")) *waiting = SLEEP;
    else if (!strcmp(said, "spin")) *waiting = SPIN;
    else return vb_errorf(err, VB_EUSAGE, "VOCABENCH_WAIT='%s': expected spin or sleep", said);
    return 0;
}

/* Whether ranks sleep while they wait: as VOCABENCH_WAIT says on any of them, else where a machine has more ranks than cores. */
static int choose_waiting(vb_comm *comm, vb_error *err) {
    int32_t facts[2] = {UNSAID, comm->node_size > comm->node_cores};
    if (vb_comm_agree(comm, read_waiting(&facts[0], err), err)) return -1;
    const int code = vb_calls_allreduce(comm->mpi, false, facts, 2, MPI_INT32_T, MPI_MAX);
    comm->sleeps = facts[0] == UNSAID ? facts[1] : facts[0] == SLEEP;
    return vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Allreduce", err), err);
}

int vb_comm_open(vb_comm *comm, MPI_Comm mpi, vb_error *err) {
    *comm = (vb_comm){.mpi = mpi};
    MPI_Comm_set_errhandler(mpi, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &comm->world_rank);
    MPI_Comm_rank(mpi, &comm->rank);
    MPI_Comm_size(mpi, &comm->size);
    MPI_Comm node = MPI_COMM_NULL;
    int status = vb_comm_check(comm, MPI_Comm_split_type(mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node),
                               "MPI_Comm_split_type", err);
    if (!status) MPI_Comm_rank(node, &comm->node_rank);
    if (!status) MPI_Comm_size(node, &comm->node_size);
    if (!(comm->alarm_sends = vb_array((size_t)comm->size, sizeof *comm->alarm_sends, "alarm", err))) status = -1;
    status = vb_comm_agree(comm, status, err);
    if (!status) status = find_cores(comm, node, err);
    if (!status) status = choose_waiting(comm, err);
    if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
    if (status) vb_comm_close(comm);
    return status;
}

int vb_comm_open_alone(vb_comm *comm, vb_error *err) {
    const cpu_set_t own = find_own_cores();
    *comm = (vb_comm){.mpi = MPI_COMM_NULL, .size = 1, .node_size = 1, .sharing = 1};
    comm->node_cores = comm->own_cores = CPU_COUNT(&own);
    int running;
    MPI_Initialized(&running);
    if (running) MPI_Comm_rank(MPI_COMM_WORLD, &comm->world_rank);
    int32_t unused; /* alone it waits for nobody, yet what is no value is refused as by ranks */
    if (read_waiting(&unused, err)) return -1;
    return (comm->alarm_sends = vb_array(1, sizeof *comm->alarm_sends, "alarm", err)) ? 0 : -1;
}

void vb_comm_close(vb_comm *comm) {
    vb_free(comm->alarm_sends);
    comm->alarm_sends = NULL;
}

void vb_comm_alarm_raise(vb_comm *comm) {
    if (comm->raised || comm->heard) return; /* who raised it has told everyone, above too */
    if (comm->above) vb_comm_alarm_raise(comm->above);
    comm->raised = true;
    for (int r = 0; r < comm->size; r++) {
        comm->alarm_sends[r] = MPI_REQUEST_NULL;
        if (r == comm->rank) continue;
        MPI_Isend(&comm->alarm_token, sizeof comm->alarm_token, MPI_BYTE, r, ALARM_TAG, comm->mpi, &comm->alarm_sends[r]);
    }
}

bool vb_comm_alarm_heard(vb_comm *comm) {
    if (!comm->raised && !comm->heard) {
        int heard = 0;
        if (comm->mpi != MPI_COMM_NULL) MPI_Iprobe(MPI_ANY_SOURCE, ALARM_TAG, comm->mpi, &heard, MPI_STATUS_IGNORE);
        comm->heard = heard;
    }
    return comm->raised || comm->heard || (comm->above && vb_comm_alarm_heard(comm->above));
}

/* This rank stops because of others only. */
static bool merely_heard(const vb_comm *comm) {
    return (comm->heard && !comm->raised) || (comm->above && merely_heard(comm->above));
}

/* Every raised alarm sent one message to every other rank; they are all received here, so that none is heard later. */
static int end_alarm(vb_comm *comm, vb_error *err) {
    int raised = comm->raised, total = raised, token;
    int status =
        vb_comm_check(comm, vb_calls_allreduce(comm->mpi, comm->sleeps, &total, 1, MPI_INT, MPI_SUM), "MPI_Allreduce", err);
    for (int i = 0; i < total - raised; i++)
        vb_calls_receive(comm->mpi, comm->sleeps, &token, sizeof token, MPI_ANY_SOURCE, ALARM_TAG);
    if (raised && comm->size > 1) MPI_Waitall(comm->size, comm->alarm_sends, MPI_STATUSES_IGNORE);
    comm->raised = comm->heard = false;
    return status;
}

int vb_comm_agree(vb_comm *comm, int status, vb_error *err) {
    vb_error local;
    vb_error_clear(&local);
    if (status) local = *err;
    bool second_hand = merely_heard(comm);
    if (end_alarm(comm, status ? NULL : &local) && !status) status = -1;
    if (status && !local.code) vb_errorf(&local, VB_EINTERNAL, "a failure without a message");
    /* The rank to speak: the lowest with a real error, else the lowest that was asked to stop, else the lowest that heard of it.
     * These two calls take no injected faults: when agreement itself fails the others cannot know, and only the end of the
     * program releases them. */
    int size = comm->size, level = !status ? 3 : local.code != VB_EINCOMPLETE ? 0 : second_hand ? 2 : 1;
    int key = status ? level * size + comm->rank : level * size, worst = key;
    if (vb_calls_allreduce(comm->mpi, comm->sleeps, &worst, 1, MPI_INT, MPI_MIN) != MPI_SUCCESS)
        return vb_errorf(err, VB_EMPI, "the ranks cannot agree");
    if (worst == 3 * size) return 0;
    /* When all of a group merely heard, it was from above, though perhaps by way of another rank of the group. */
    for (vb_comm *up = comm->above; up && worst / size == 2; up = up->above) up->heard = !up->raised;
    if (local.rank < 0) local.rank = comm->world_rank; /* an error that was agreed on before keeps its rank */
    if (vb_calls_broadcast(comm->mpi, comm->sleeps, &local, sizeof local, worst % size) != MPI_SUCCESS)
        return vb_errorf(err, VB_EMPI, "the ranks cannot agree");
    *err = local;
    return -1;
}

int vb_comm_broadcast_from(vb_comm *comm, int root, void *bytes, size_t size, vb_error *err) {
    int status = 0;
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        int code = vb_calls_broadcast(comm->mpi, comm->sleeps, (char *)bytes + at, (int)n, root);
        if (vb_comm_check(comm, code, "MPI_Bcast", err)) status = -1;
    }
    if (comm->rank != root) comm->received += size;
    else if (comm->size > 1) comm->sent += size;
    return vb_comm_agree(comm, status, err);
}

int vb_comm_broadcast(vb_comm *comm, void *bytes, size_t size, vb_error *err) {
    return vb_comm_broadcast_from(comm, 0, bytes, size, err);
}

int vb_comm_broadcast_block(vb_comm *comm, void **bytes, size_t *size, vb_error *err) {
    uint64_t n = comm->rank ? 0 : *size;
    if (vb_comm_broadcast(comm, &n, sizeof n, err)) return -1;
    int status = 0;
    if (comm->rank) {
        *size = n;
        if (!(*bytes = vb_array(n, 1, "broadcast", err))) status = -1;
    }
    if (vb_comm_agree(comm, status, err)) return -1;
    return vb_comm_broadcast(comm, *bytes, n, err);
}

int vb_comm_agree_same(vb_comm *comm, int status, const char *seen, const char *what, vb_error *err) {
    char first[256] = "";
    if (vb_comm_agree(comm, status, err)) return -1;
    snprintf(first, sizeof first, "%s", seen);
    status = vb_comm_broadcast(comm, first, sizeof first, err);
    if (!status && strncmp(first, seen, sizeof first - 1))
        status = vb_errorf(err, VB_EMISMATCH, "%s: this rank finds %s, rank 0 found %s: did the file change while it was read?",
                           what, seen, first);
    return vb_comm_agree(comm, status, err);
}

int64_t vb_comm_range_of_rank(int64_t total, int rank, int size, int64_t *first) {
    int64_t base = total / size, rest = total % size;
    *first = base * rank + (rank < rest ? rank : rest);
    return base + (rank < rest);
}

int vb_comm_allgather_rows(vb_comm *comm, void *rows, int64_t total, size_t row_bytes, vb_error *err) {
    char *piece = NULL, *all = NULL;
    int *counts = vb_array((size_t)comm->size, sizeof *counts, "gather", err),
        *offsets = vb_array((size_t)comm->size, sizeof *offsets, "gather", err);
    int status = vb_comm_agree(comm, (counts && offsets) ? 0 : -1, err);
    if (status) goto done;
    int64_t first, mine = vb_comm_range_of_rank(total, comm->rank, comm->size, &first);
    /* Rounds in which every rank sends at most so many rows that all together stay below the chunk. */
    int64_t a_round = (int64_t)(CHUNK / (row_bytes ? row_bytes : 1)) / comm->size,
            largest = (total + comm->size - 1) / comm->size;
    if (a_round < 1) a_round = 1;
    bool whole = largest <= a_round || comm->mpi == MPI_COMM_NULL; /* alone, all is in its place */
    if (!whole && (!(piece = vb_array((size_t)a_round, row_bytes, "gather", err)) ||
                   !(all = vb_array((size_t)a_round * (size_t)comm->size, row_bytes, "gather", err))))
        status = -1;
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    MPI_Datatype row = MPI_DATATYPE_NULL;
    if (comm->mpi != MPI_COMM_NULL) {
        MPI_Type_contiguous((int)row_bytes, MPI_BYTE, &row);
        MPI_Type_commit(&row);
    }
    for (int64_t at = 0; at < largest; at += a_round) {
        for (int r = 0, sum = 0; r < comm->size; r++) {
            int64_t start, has = vb_comm_range_of_rank(total, r, comm->size, &start) - at;
            counts[r] = (int)(has < 0 ? 0 : has > a_round ? a_round : has);
            offsets[r] = whole ? (int)start : sum;
            sum += counts[r];
        }
        int code;
        if (whole) code = vb_calls_allgather(comm->mpi, comm->sleeps, MPI_IN_PLACE, rows, counts, offsets, row);
        else {
            if (counts[comm->rank])
                memcpy(piece, (char *)rows + (size_t)(first + at) * row_bytes, (size_t)counts[comm->rank] * row_bytes);
            code = vb_calls_allgather(comm->mpi, comm->sleeps, piece, all, counts, offsets, row);
            for (int r = 0; r < comm->size && code == MPI_SUCCESS; r++) {
                int64_t start;
                vb_comm_range_of_rank(total, r, comm->size, &start);
                if (counts[r])
                    memcpy((char *)rows + (size_t)(start + at) * row_bytes, all + (size_t)offsets[r] * row_bytes,
                           (size_t)counts[r] * row_bytes);
            }
        }
        if (vb_comm_check(comm, code, "MPI_Allgatherv", err)) status = -1;
    }
    if (row != MPI_DATATYPE_NULL) MPI_Type_free(&row);
    comm->sent += (uint64_t)mine * row_bytes * (comm->size > 1);
    comm->received += (uint64_t)(total - mine) * row_bytes;
    status = vb_comm_agree(comm, status, err);
done:
    vb_free(piece);
    vb_free(all);
    vb_free(counts);
    vb_free(offsets);
    return status;
}

void vb_comm_blocks_free(vb_blocks *blocks) {
    for (int r = 0; r < blocks->count; r++) vb_free(blocks->bytes[r]);
    vb_free(blocks->bytes);
    vb_free(blocks->sizes);
    *blocks = (vb_blocks){0};
}

void *vb_comm_blocks_join(const vb_blocks *blocks, const char *what, size_t *size, vb_error *err) {
    size_t filled = 0;
    *size = 0;
    for (int r = 0; r < blocks->count; r++) *size += blocks->sizes[r];
    char *all = vb_buffer(*size, 1, what, err);
    for (int r = 0; r < blocks->count && all; r++) {
        memcpy(all + filled, blocks->bytes[r], blocks->sizes[r]);
        filled += blocks->sizes[r];
    }
    return all;
}

/* Rank 0: the blocks of `sizes` bytes, still to be filled. */
static int blocks_new(vb_blocks *blocks, int ranks, const uint64_t *sizes, vb_error *err) {
    blocks->bytes = vb_array((size_t)ranks, sizeof *blocks->bytes, "gather", err);
    blocks->sizes = vb_array((size_t)ranks, sizeof *blocks->sizes, "gather", err);
    if (!blocks->bytes || !blocks->sizes) return -1;
    for (blocks->count = 0; blocks->count < ranks; blocks->count++) {
        int r = blocks->count;
        blocks->sizes[r] = sizes[r];
        if (!(blocks->bytes[r] = vb_array(sizes[r] + 1, 1, "gather", err))) return -1;
    }
    return 0;
}

static int send_block(vb_comm *comm, const void *bytes, size_t size, vb_error *err) {
    int status = 0;
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        int code = vb_calls_send(comm->mpi, comm->sleeps, (const char *)bytes + at, (int)n, 0, BLOCK_TAG);
        if (vb_comm_check(comm, code, "MPI_Send", err)) status = -1;
    }
    comm->sent += size;
    return status;
}

static int receive_block(vb_comm *comm, int from, void *bytes, size_t size, vb_error *err) {
    int status = 0;
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        int code = vb_calls_receive(comm->mpi, comm->sleeps, (char *)bytes + at, (int)n, from, BLOCK_TAG);
        if (vb_comm_check(comm, code, "MPI_Recv", err)) status = -1;
        comm->received += n;
    }
    return status;
}

int vb_comm_gather(vb_comm *comm, const void *bytes, size_t size, vb_blocks *blocks, vb_error *err) {
    bool root = !comm->rank;
    uint64_t *sizes = vb_array((size_t)comm->size, sizeof *sizes, "gather", err);
    *blocks = (vb_blocks){0};
    int status = vb_comm_agree(comm, sizes ? 0 : -1, err);
    if (status) goto done;
    status = vb_comm_check(comm, vb_calls_gather(comm->mpi, comm->sleeps, size, sizes), "MPI_Gather", err);
    if (root && !status) status = blocks_new(blocks, comm->size, sizes, err);
    if ((status = vb_comm_agree(comm, status, err))) goto done;
    if (!root) status = send_block(comm, bytes, size, err);
    else if (size) memcpy(blocks->bytes[0], bytes, size);
    for (int r = 1; root && r < comm->size; r++)
        if (receive_block(comm, r, blocks->bytes[r], sizes[r], err)) status = -1;
    status = vb_comm_agree(comm, status, err);
done:
    if (status) vb_comm_blocks_free(blocks);
    vb_free(sizes);
    return status;
}

/* MPI_Reduce and MPI_Allreduce in chunks. */
static int reduce(vb_comm *comm, int64_t *values, size_t count, MPI_Op op, bool everywhere, vb_error *err) {
    int status = 0;
    const size_t step = CHUNK / sizeof *values;
    for (size_t at = 0; at < count; at += step) {
        int n = (int)(count - at < step ? count - at : step);
        int code = everywhere ? vb_calls_allreduce(comm->mpi, comm->sleeps, values + at, n, MPI_INT64_T, op) :
                                vb_calls_reduce(comm->mpi, comm->sleeps, values + at, n, op);
        if (vb_comm_check(comm, code, everywhere ? "MPI_Allreduce" : "MPI_Reduce", err)) status = -1;
    }
    if (comm->rank || everywhere) comm->sent += count * sizeof *values * (comm->size > 1);
    if (!comm->rank || everywhere) comm->received += count * sizeof *values * (comm->size > 1);
    return vb_comm_agree(comm, status, err);
}

int vb_comm_sum_to_root(vb_comm *comm, int64_t *counters, size_t count, vb_error *err) {
    return reduce(comm, counters, count, MPI_SUM, false, err);
}
int vb_comm_max(vb_comm *comm, int64_t *values, size_t count, vb_error *err) {
    return reduce(comm, values, count, MPI_MAX, true, err);
}

int vb_comm_or_bits(vb_comm *comm, void *bits, size_t size, vb_error *err) {
    int status = 0;
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t n = size - at < CHUNK ? size - at : CHUNK;
        int code = vb_calls_allreduce(comm->mpi, comm->sleeps, (char *)bits + at, (int)(n / 4), MPI_UINT32_T, MPI_BOR);
        if (vb_comm_check(comm, code, "MPI_Allreduce", err)) status = -1;
    }
    comm->sent += size * (comm->size > 1);
    comm->received += size * (comm->size > 1);
    return vb_comm_agree(comm, status, err);
}

int vb_comm_or_blocks(vb_comm *comm, const void *blocks, void *own, size_t size, vb_error *err) {
    if (size > CHUNK) return vb_errorf(err, VB_EUNSUPPORTED, "a block of %zu bytes, at most %d can be joined", size, CHUNK);
    int code = vb_calls_reduce_blocks(comm->mpi, comm->sleeps, blocks, own, (int)size, MPI_BOR);
    comm->sent += size * (size_t)comm->size * (comm->size > 1);
    comm->received += size * (comm->size > 1);
    return vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Reduce_scatter_block", err), err);
}
