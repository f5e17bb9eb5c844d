/* What every command gets: the ranks it runs on, and whether someone asked it to stop. */
#ifndef VB_CONTEXT_H
#define VB_CONTEXT_H

#include <stdbool.h>

#include "mpi/ranks/comm.h"
#include "mpi/ranks/live.h"

typedef struct vb_context {
    vb_comm comm;
    double started;     /* vb_live_now at the start */
    char **environment; /* as the process got it, NULL-terminated: MPI adds variables that no other program should inherit */
    char **arguments;   /* the command line, NULL-terminated */
    vb_live *live;      /* of a run, on rank 0 of its group; else NULL */
    struct vb_device *device; /* where models are computed (mpi/base/device.h); NULL: the CPU */
    int encoders, encoder; /* where ranks share devices (mpi/base/device_lending.h): how many of these ranks encode, and which of
                               * them this one is, -1: none; encoders 0: all ranks do (mpi/encode/model.h) */
    int lent;              /* threads that other ranks lend this one for decoding */
    const char *stage;     /* what passes over images are called while they are shown; NULL: "images" */
    bool told_of_signals;  /* that a library had taken them */
    bool told_of_notice;   /* that SIGUSR1 has come */
} vb_context;

/* Writing into a closed pipe, or a file that grows too large, is an error from now on, not the end. stops: SIGINT, SIGTERM and
 * SIGUSR1 ask for a stop instead of ending the process. Local. */
void vb_context_catch_signals(bool stops);

/* Takes the handlers of these signals back where a library has put its own in their place, as LLVM does inside of OpenCL drivers,
 * which hwloc's plugin loads with MPI: the last such signal, 0 for none. Local. */
int vb_context_keep_signals(void);

/* Local: -1 with VB_EINCOMPLETE when this rank was asked to stop or another raised the alarm: finish here, raise, agree. */
int vb_context_check_stop(vb_context *context, vb_error *err);

/* Where ranks meet after a part of the work that takes some longer than others: waits for all of them without using a core, while
 * it looks for signals and alarms, and agrees. status: of this rank's part; a failure raises the alarm. 0, or -1 with the agreed
 * error. Collective. */
int vb_context_barrier(vb_context *context, int status, vb_error *err);

/* Whether a launcher has started this process, as far as variables tell: one among others, perhaps. Else it is alone, and needs
 * no MPI. Local. */
bool vb_context_is_launched(void);

/* Whether this process is the one that prints before MPI has started: its launcher's variables tell its rank. Local. */
bool vb_context_is_first_rank(void);

#endif
