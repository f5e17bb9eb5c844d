/* Rank groups: the split, the shared queue by one-sided fetch-and-add, the wait at the end. */
#include "mpi/ranks/groups.h"

#include <string.h>

#include "kernels/base/memory.h"

/* The share of an item that one rank does alone while its group waits: opening, exchange, figures. Measured on small runs; it
 * only keeps the plan from believing that any number of ranks divides an item perfectly. */
static const double serial_share = 0.02;

int vb_groups_of_size(int ranks, int64_t ranks_per_group) {
    return ranks_per_group < ranks ? (int)((ranks + ranks_per_group - 1) / ranks_per_group) : 1;
}

int vb_groups_ranks(int ranks, int groups, int g, int *first) {
    int64_t start;
    int count = (int)vb_comm_range_of_rank(ranks, g, groups, &start);
    *first = (int)start;
    return count;
}

/* When the last of so many groups ends; free_at is their room to work in. */
static double finish_time(const double *costs, const int64_t *parts, int count, int ranks, int groups, double *free_at,
                          double *idle) {
    double last = 0, worked = 0;
    memset(free_at, 0, (size_t)groups * sizeof *free_at);
    for (int i = 0; i < count; i++) {
        int next = 0, first;
        for (int g = 1; g < groups; g++)
            if (free_at[g] < free_at[next]) next = g;
        int64_t size = vb_groups_ranks(ranks, groups, next, &first), pieces = parts[i] > 0 ? parts[i] : 1;
        double largest = (double)((pieces + size - 1) / size) / (double)pieces;
        double seconds = costs[i] * (serial_share + (1 - serial_share) * largest);
        free_at[next] += seconds;
        worked += seconds * (double)size;
        if (free_at[next] > last) last = free_at[next];
    }
    *idle = last > 0 ? 1 - worked / (last * ranks) : 0;
    return last;
}

int vb_groups_plan(const double *costs, const int64_t *parts, int count, int ranks, int groups, double *idle, vb_error *err) {
    int most = groups ? groups : count < ranks ? count : ranks, best = groups ? groups : 1;
    double *free_at = vb_array((size_t)(most > 0 ? most : 1), sizeof *free_at, "plan of groups", err);
    if (!free_at) return -1;
    double share, soonest = finish_time(costs, parts, count, ranks, best, free_at, &share);
    /* Sizes rather than counts: groups of equal size divide the ranks best. More groups hold more models in memory: they must
     * gain. */
    for (int size = ranks - 1, last = 1; !groups && size > 0; size--) {
        int n = vb_groups_of_size(ranks, size);
        if (n > most) n = most;
        if (n <= last) continue;
        last = n;
        double its_share, end = finish_time(costs, parts, count, ranks, n, free_at, &its_share);
        if (end >= 0.99 * soonest) continue;
        soonest = end;
        share = its_share;
        best = n;
    }
    if (idle) *idle = share;
    vb_free(free_at);
    return best;
}

static int open_window(vb_groups *groups, vb_error *err) {
    vb_comm *comm = &groups->world->comm;
    int64_t *counter = NULL;
    MPI_Aint size = comm->rank ? 0 : (MPI_Aint)sizeof *counter;
    int code = MPI_Win_allocate(size, sizeof *counter, MPI_INFO_NULL, comm->mpi, &counter, &groups->window);
    if (code != MPI_SUCCESS) groups->window = MPI_WIN_NULL;
    int status = vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Win_allocate", err), err);
    if (status) return -1;
    MPI_Win_set_errhandler(groups->window, MPI_ERRORS_RETURN);
    if (!comm->rank) *counter = 0;
    status = vb_comm_check(comm, MPI_Win_lock_all(0, groups->window), "MPI_Win_lock_all", err);
    if (!status) status = vb_comm_check(comm, MPI_Win_sync(groups->window), "MPI_Win_sync", err);
    return vb_comm_agree(comm, status, err); /* no fetch-and-add before the counter is zeroed */
}

int vb_groups_open(vb_groups *groups, vb_context *world, int count, int64_t items, vb_error *err) {
    *groups = (vb_groups){.world = world, .context = *world, .count = count, .items = items, .window = MPI_WIN_NULL};
    groups->context.comm = (vb_comm){.mpi = MPI_COMM_NULL};
    int ranks = world->comm.size, first;
    while (world->comm.rank >= vb_groups_ranks(ranks, count, groups->mine, &first) + first) groups->mine++;
    const bool alone = world->comm.mpi == MPI_COMM_NULL;
    MPI_Comm part = MPI_COMM_NULL;
    int code = alone ? MPI_SUCCESS : MPI_Comm_split(world->comm.mpi, groups->mine, world->comm.rank, &part);
    int status = vb_comm_check(&world->comm, code, "MPI_Comm_split", err);
    if ((status = vb_comm_agree(&world->comm, status, err))) {
        if (part != MPI_COMM_NULL) MPI_Comm_free(&part);
        return -1;
    }
    if (alone) status = vb_comm_open_alone(&groups->context.comm, err);
    else status = vb_comm_open(&groups->context.comm, part, err);
    groups->context.comm.mpi = part;
    groups->context.comm.above = &world->comm;
    groups->context.comm.sleeps = world->comm.sleeps; /* a group may fit its cores, and share them with the others */
    if (!(status = vb_comm_agree(&world->comm, status, err)) && count > 1) status = open_window(groups, err);
    if (status) vb_groups_close(groups);
    groups->started = vb_live_now();
    return status;
}

int vb_groups_next(vb_groups *groups, int64_t *item, vb_error *err) {
    vb_comm *comm = &groups->context.comm;
    int status = 0;
    double now = vb_live_now();
    if (groups->taken_at > 0) groups->busy += now - groups->taken_at;
    *item = groups->taken;
    if (groups->count == 1) groups->taken++;
    else if (!comm->rank) {
        const int64_t one = 1;
        int code = MPI_Fetch_and_op(&one, item, MPI_INT64_T, 0, 0, MPI_SUM, groups->window);
        status = vb_comm_check(comm, code, "MPI_Fetch_and_op", err);
        if (code == MPI_SUCCESS && vb_comm_check(comm, MPI_Win_flush(0, groups->window), "MPI_Win_flush", err)) status = -1;
        groups->world->comm.sent += sizeof one;
        groups->world->comm.received += sizeof *item;
    }
    status = vb_comm_agree(comm, status, err);
    if (!status) status = vb_comm_broadcast(comm, item, sizeof *item, err);
    if (*item > groups->items) *item = groups->items;
    groups->taken_at = status || *item == groups->items ? 0 : vb_live_now();
    return status;
}

int vb_groups_wait(vb_groups *groups, int status, vb_error *err) {
    if (groups->taken_at > 0) groups->busy += vb_live_now() - groups->taken_at;
    status = vb_context_barrier(groups->world, status, err);
    groups->idle = vb_live_now() - groups->started - groups->busy;
    return status;
}

void vb_groups_close(vb_groups *groups) {
    if (!groups->world) return;
    vb_comm *comm = &groups->context.comm;
    if (groups->window != MPI_WIN_NULL) {
        MPI_Win_unlock_all(groups->window);
        MPI_Win_free(&groups->window);
    }
    groups->world->comm.sent += comm->sent;
    groups->world->comm.received += comm->received;
    MPI_Comm part = comm->mpi;
    vb_comm_close(comm);
    if (part != MPI_COMM_NULL) MPI_Comm_free(&part);
    *groups = (vb_groups){0};
}
