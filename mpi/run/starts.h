/* How often a run was started, how long each start took and on how many machines: requeued jobs, lost ranks, --resume. Local.
 *
 * An entry: {started (UTC), seconds, nodes, ranks, code (of a start that ended), lost: true (of one that was killed, whose
 * seconds are those until its last sign of life), slurm_job, restart}. */
#ifndef VB_STARTS_H
#define VB_STARTS_H

#include "mpi/base/json.h"

/* When the run that holds the folder `output` took it, in Unix seconds by the clock of its file system; 0: it cannot be told. */
double vb_starts_begun(const char *output);

/* The starts that a state.json (mpi/run/journal.h) in the folder `output` tells of, its own the last one; alive: that one has not
 * ended and goes on. A new list; check with vb_json_end. */
json_t *vb_starts_of_state(vb_json *json, const json_t *state, const char *output, bool alive);
/* An entry of this process's job. */
json_t *vb_starts_entry(vb_json *json, double seconds, int64_t nodes, int64_t ranks);

/* Machines times hours of all entries. */
double vb_starts_node_hours(const json_t *starts);

#endif
