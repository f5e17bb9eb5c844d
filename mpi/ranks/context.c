/* Signals that ask for a stop: noted in the handler, looked at between units. */
#include "mpi/ranks/context.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mpi/ranks/calls.h"

static volatile sig_atomic_t stop_signal; /* a handler can reach nothing else */

static void on_signal(int number) { stop_signal = number; }

static const int stop_signals[] = {SIGINT, SIGTERM, SIGUSR1};

static void catch_signal(int number) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void vb_context_catch_signals(bool stops) {
    for (size_t i = 0; stops && i < sizeof stop_signals / sizeof *stop_signals; i++) catch_signal(stop_signals[i]);
    signal(SIGPIPE, SIG_IGN); /* these two come back as errors of write */
    signal(SIGXFSZ, SIG_IGN);
}

int vb_context_keep_signals(void) {
    int taken = 0;
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++) {
        struct sigaction now;
        if (sigaction(stop_signals[i], NULL, &now) || now.sa_handler == on_signal) continue;
        catch_signal(stop_signals[i]);
        taken = stop_signals[i];
    }
    return taken;
}

int vb_context_check_stop(vb_context *context, vb_error *err) {
    int taken = vb_context_keep_signals();
    if (taken && !context->told_of_signals) {
        context->told_of_signals = true;
        fprintf(stderr, "vocabench: note: rank %d: a library had taken signal %d, with which a job is told to stop: taken back\n",
                context->comm.world_rank, taken);
    }
    int number = stop_signal;
    if (number == SIGUSR1 && !context->told_of_notice && !context->comm.node_rank) {
        context->told_of_notice = true;
        fprintf(stderr, "vocabench: note: rank %d: the notice to stop, SIGUSR1, has come\n", context->comm.world_rank);
    }
    if (number)
        return vb_errorf(err, VB_EINCOMPLETE, "stopped by %s; finished units are kept: run the same command again to go on",
                         number == SIGINT  ? "SIGINT" :
                         number == SIGTERM ? "SIGTERM" :
                                             "SIGUSR1");
    if (vb_comm_alarm_heard(&context->comm)) return vb_errorf(err, VB_EINCOMPLETE, "stopped because another rank stopped");
    return 0;
}

int vb_context_barrier(vb_context *context, int status, vb_error *err) {
    vb_comm *comm = &context->comm;
    if (status) vb_comm_alarm_raise(comm);
    const bool alone = comm->mpi == MPI_COMM_NULL;
    MPI_Request all = MPI_REQUEST_NULL;
    vb_calls_pause pause = {0};
    int done = alone, code = alone ? MPI_SUCCESS : MPI_Ibarrier(comm->mpi, &all);
    if (code != MPI_SUCCESS && !status) status = vb_comm_check(comm, code, "MPI_Ibarrier", err);
    if (alone && !status) status = vb_context_check_stop(context, err);
    while (code == MPI_SUCCESS && !done) {
        code = MPI_Test(&all, &done, MPI_STATUS_IGNORE);
        if (!status && (status = vb_context_check_stop(context, err))) vb_comm_alarm_raise(comm);
        if (!done) vb_calls_pause_once(&pause);
    }
    return vb_comm_agree(comm, status, err);
}

bool vb_context_is_launched(void) {
    /* How launchers begin the names of the variables that tell a process of its job: PMI, PMI2 and PMIx (Slurm, Flux, PALS,
     * Hydra), mpirun, srun without either, jsrun, aprun, MVAPICH. */
    static const char *const starts[] = {
        "PMI",       "OMPI_COMM_WORLD_", "SLURM_PROCID=", "SLURM_STEP_", "FLUX_TASK_", "PALS_",          "HYDI_",
        "MPI_LOCAL", "MV2_COMM_",        "JSM_",          "ALPS_",       "LSB_JOBID=", "VOCABENCH_MPI=1"};
    for (char **variable = environ; *variable; variable++)
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
            if (!strncmp(*variable, starts[i], strlen(starts[i]))) return true;
    return false;
}

bool vb_context_is_first_rank(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (getenv(variables[i])) return strtol(getenv(variables[i]), NULL, 10) == 0;
    return true;
}
