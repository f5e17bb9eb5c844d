/* Shared memory: a file in memory that one rank makes and the others open. */
#include "mpi/ranks/node_memory.h"

#include <stdio.h>

#include "kernels/base/memory.h"
#include "mpi/ranks/calls.h"
#include "shards/files/memory_file.h"

/* The ranks of `node` share it, or none of them has it: then *shared is false. Every rank makes all calls, whatever fails. */
static int share(vb_node_memory *memory, vb_comm *comm, MPI_Comm node, const char *what, bool *shared, vb_error *err) {
    vb_memory_file at = {.fd = -1};
    int status = memory->part ? 0 : vb_memory_file_make(&at, memory->size, what, err);
    int code = vb_calls_broadcast(node, comm->sleeps, &at, sizeof at, 0);
    if (!status) status = vb_comm_check(comm, code, "MPI_Bcast", err);
    const int fd = memory->part ? vb_memory_file_open(&at) : (int)at.fd;
    if (!status && fd >= 0) status = vb_memory_file_map(fd, memory->size, what, &memory->data, err);
    memory->mapped = memory->data;
    int opened = fd >= 0; /* on all ranks, below */
    code = vb_calls_allreduce(node, comm->sleeps, &opened, 1, MPI_INT, MPI_MIN);
    if (!status) status = vb_comm_check(comm, code, "MPI_Allreduce", err);
    vb_memory_file_close(fd);
    *shared = opened;
    return status;
}

/* Whether the ranks of a machine have the same facts. */
static int compare(vb_comm *comm, MPI_Comm node, size_t size, int tag, bool *same, vb_error *err) {
    int64_t most[4] = {(int64_t)size, tag, -(int64_t)size, -tag};
    const int code = vb_calls_allreduce(node, comm->sleeps, most, 4, MPI_INT64_T, MPI_MAX);
    *same = most[0] == -most[2] && most[1] == -most[3];
    return vb_comm_check(comm, code, "MPI_Allreduce", err);
}

int vb_node_memory_open(vb_node_memory *memory, vb_comm *comm, size_t size, int tag, const char *what, vb_error *err) {
    MPI_Comm node = MPI_COMM_NULL;
    bool same = false, shared = true;
    *memory = (vb_node_memory){.size = size, .parts = 1};
    int code = MPI_SUCCESS;
    if (comm->mpi != MPI_COMM_NULL) code = MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node);
    int status = vb_comm_agree(comm, vb_comm_check(comm, code, "MPI_Comm_split_type", err), err);
    if (!status) status = vb_comm_agree(comm, compare(comm, node, size, tag, &same, err), err);
    if (!status && node != MPI_COMM_NULL) MPI_Comm_rank(node, &memory->part), MPI_Comm_size(node, &memory->parts);
    const bool wanted = !status && same && size; /* the same on all ranks of a machine */
    if (wanted && memory->parts == 1 && !(memory->data = vb_buffer(size, 1, what, err))) status = -1;
    if (wanted && memory->parts > 1) status = share(memory, comm, node, what, &shared, err);
    status = vb_comm_agree(comm, status, err);
    if (node != MPI_COMM_NULL) MPI_Comm_free(&node);
    if (!status && !shared && !memory->part)
        fprintf(stderr, "vocabench: note: the ranks of this machine cannot open each other's memory: %s are not kept\n", what);
    if (status || !shared || !wanted) vb_node_memory_close(memory);
    return status;
}

void vb_node_memory_close(vb_node_memory *memory) {
    if (memory->mapped) vb_memory_file_unmap(memory->data, memory->size);
    else vb_free(memory->data);
    *memory = (vb_node_memory){0};
}
