/* The end of tests that start MPI: with their code, where a thread of MPI fails on the way (mpi/ranks/comm.h). */
#ifndef VB_TESTS_END_MPI_H
#define VB_TESTS_END_MPI_H

#include <signal.h>
#include <unistd.h>

#include "mpi/ranks/comm.h"

static volatile sig_atomic_t end_mpi_code;

static void end_mpi_fails(int number) {
    if (gettid() != getpid()) _exit(end_mpi_code);
    signal(number, SIG_DFL); /* in the main thread it fails again */
}

static inline int end_mpi(int code) {
    end_mpi_code = code;
    vb_comm_end_mpi(end_mpi_fails);
    return code;
}

#endif
