/* Who encodes, decided alike by all ranks from the same notes. */
#include "mpi/base/device_lending.h"

#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "kernels/base/memory.h"

/* What a rank tells the others. */
typedef struct lending_note {
    vb_digest device; /* "": none */
    int node, group, threads;
    cpu_set_t cores;
} lending_note;

static bool same_device(const lending_note *a, const lending_note *b) {
    return a->device.hex[0] && a->node == b->node && !strcmp(a->device.hex, b->device.hex);
}

/* The first rank of r's group that has the same device; r itself where it has none. */
static int encoder_for(const lending_note *notes, int r) {
    for (int first = 0; first < r; first++)
        if (notes[first].group == notes[r].group && same_device(&notes[first], &notes[r])) return first;
    return r;
}

/* Where OpenMP binds threads they stay where it has bound them. */
static void use_cores(const cpu_set_t *cores) {
    if (omp_get_proc_bind() == omp_proc_bind_false) sched_setaffinity(0, sizeof *cores, cores); /* elsewhere decoding is slower */
}

static void take_roles(vb_device *device, const vb_comm *world, vb_context *context, const lending_note *notes) {
    const int own = world->rank, by = encoder_for(notes, own);
    int encoders = 0, before = 0, lent = 0, share = 0;
    cpu_set_t cores = notes[own].cores;
    for (int r = 0; r < world->size; r++) {
        const int its = encoder_for(notes, r);
        if (its == r && notes[r].group == notes[own].group) {
            encoders++;
            before += r < own;
        }
        if (its == r) share += same_device(&notes[r], &notes[own]);
        if (its != own || r == own) continue;
        lent += notes[r].threads;
        CPU_OR(&cores, &cores, &notes[r].cores);
    }
    if (encoders == context->comm.size) encoders = 0;
    context->encoders = encoders;
    context->encoder = by == own ? before : -1;
    context->lent = lent;
    if (share) device->share = share;
    if (lent) use_cores(&cores);
    if (by == own) return;
    char name[sizeof device->lends - 64];
    vb_device_describe(context, name, sizeof name);
    snprintf(device->lends, sizeof device->lends, "%s; by rank %d, to which this one lends its cores", name, by);
    vb_gpu_device_close(device->gpu);
    device->gpu = NULL;
}

int vb_device_lending_agree(vb_device *device, vb_context *world, vb_context *context, int group, int threads, vb_error *err) {
    vb_comm *comm = &world->comm;
    if (!device->any) return 0;
    lending_note *notes = vb_array((size_t)comm->size, sizeof *notes, "ranks of devices", err);
    if (vb_comm_agree(comm, notes ? 0 : -1, err)) {
        vb_free(notes);
        return -1;
    }
    lending_note *own = &notes[comm->rank];
    *own = (lending_note){.node = comm->node, .group = group, .threads = threads};
    if (device->gpu) own->device = device->identity;
    CPU_ZERO(&own->cores);
    sched_getaffinity(0, sizeof own->cores, &own->cores); /* fails beyond 1024 cores: then no cores are lent */
    const int status = vb_comm_allgather_rows(comm, notes, comm->size, sizeof *notes, err);
    if (!status) take_roles(device, comm, context, notes);
    vb_free(notes);
    return status;
}
