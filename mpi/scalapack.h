/* ScaLAPACK: dense distributed algebra on a block-cyclic grid of ranks. Results may differ in the last bits with the number of ranks.
 */
#ifndef VB_SCALAPACK_H
#define VB_SCALAPACK_H

#include "mpi/comm.h"

/* The eigenvalues, descending, of the symmetric matrix whose element (i, j) is element(context, i, j), which every rank can give, on
 * every rank. Absolute error some n * 2^-53 of the largest. Memory a rank: 8 n^2 / ranks bytes and work space. Collective. */
int vb_scalapack_eigenvalues(vb_comm *comm, int n, double (*element)(const void *context, int i, int j), const void *context,
                             double *values, vb_error *err);

#endif
