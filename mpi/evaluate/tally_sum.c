/* Counters by a reduction; tables of harmful sets gathered and merged. */
#include "mpi/evaluate/tally_sum.h"

#include "kernels/base/memory.h"

static int merge_sets(vb_comm *comm, vb_harm_sets *sets, vb_error *err) {
    vb_blocks blocks = {0};
    int status = vb_comm_agree(comm, vb_harm_sets_end(sets, err), err);
    if (!status)
        status = vb_comm_gather(comm, comm->rank ? sets->words : NULL, comm->rank ? sets->used * sizeof *sets->words : 0, &blocks,
                                err);
    for (int r = 1; r < blocks.count && !status; r++) {
        status = vb_harm_sets_merge(sets, blocks.bytes[r], blocks.sizes[r], err);
        vb_free(blocks.bytes[r]);
        blocks.bytes[r] = NULL;
    }
    if (!status && !comm->rank) status = vb_harm_sets_end(sets, err);
    vb_comm_blocks_free(&blocks);
    return vb_comm_agree(comm, status, err);
}

int vb_tally_sum_to_root(vb_comm *comm, vb_tally *tally, vb_error *err) {
    size_t count;
    int64_t *counters = vb_tally_counters(tally, &count);
    vb_harm_sets *sets = vb_tally_harm_sets(tally);
    if (vb_comm_sum_to_root(comm, counters, count, err)) return -1;
    return sets ? merge_sets(comm, sets, err) : 0;
}
