/* Threads of a rank and cores of a machine. */
#ifndef VB_THREADS_H
#define VB_THREADS_H

#include "mpi/ranks/comm.h"

/* Threads a rank should use when the user does not say: OMP_NUM_THREADS, else the cores it is bound to shared by the ranks bound
 * to them. Local. */
int vb_threads_default(const vb_comm *comm);

/* OMP_NUM_THREADS; 0 where it says nothing. Local. */
int vb_threads_stated(void);

/* One line on stderr (rank 0) when a machine's ranks have more threads than cores, or a BLAS is told to start threads of its own.
 * Collective. */
int vb_threads_warn(vb_comm *comm, int threads, vb_error *err);

#endif
