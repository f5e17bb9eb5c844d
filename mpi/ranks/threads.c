/* Threads a rank: how many by default, and a warning when they are too many for the machine. */
#include "mpi/ranks/threads.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* The number that a variable begins with, as in "4,2"; 0 where it has none that is a number of threads. */
static int stated_threads(const char *variable) {
    const char *text = getenv(variable);
    const long count = text ? strtol(text, NULL, 10) : 0;
    return count > 0 && count <= INT_MAX ? (int)count : 0;
}

int vb_threads_stated(void) { return stated_threads("OMP_NUM_THREADS"); }

int vb_threads_default(const vb_comm *comm) {
    const int stated = vb_threads_stated();
    if (stated) return stated;
    int threads = comm->own_cores / (comm->sharing > 0 ? comm->sharing : 1);
    return threads > 0 ? threads : 1;
}

int vb_threads_warn(vb_comm *comm, int threads, vb_error *err) {
    static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"};
    /* The warning is of the machine with most threads a core, here in thousandths; its ranks send their numbers. */
    int64_t own = 0, most, node[2] = {0}; /* ranks and cores of that machine */
    assert(threads > 0);
    if (comm->node_size * threads > comm->node_cores) own = (int64_t)1000 * comm->node_size * threads / comm->node_cores;
    most = own;
    if (vb_comm_max(comm, &most, 1, err)) return -1;
    if (most && most == own) {
        node[0] = comm->node_size;
        node[1] = comm->node_cores;
    }
    if (vb_comm_max(comm, node, 2, err)) return -1;
    if (comm->rank) return 0;
    if (most)
        fprintf(stderr, "warning: %lld rank%s x %d thread%s on the %lld core%s of a machine: they wait for each other\n",
                (long long)node[0], node[0] == 1 ? "" : "s", threads, threads == 1 ? "" : "s", (long long)node[1],
                node[1] == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (stated_threads(variables[i]) > 1)
            fprintf(stderr, "warning: %s=%s: BLAS brings threads of its own beside the %d of each rank; set it to 1\n",
                    variables[i], getenv(variables[i]), threads);
    return 0;
}
