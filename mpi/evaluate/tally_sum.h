/* Tallies of all ranks in one. */
#ifndef VB_TALLY_SUM_H
#define VB_TALLY_SUM_H

#include "kernels/openness/tally.h"
#include "mpi/ranks/comm.h"

/* Rank 0's tally becomes the sum of all ranks', with the harmful sets by class where they are kept; on others it is of no use
 * until it is cleared. Collective. */
int vb_tally_sum_to_root(vb_comm *comm, vb_tally *tally, vb_error *err);

#endif
