/* Where a result comes from: version, revision, processor level, ranks, threads, hosts, Slurm job. */
#ifndef VB_PROVENANCE_H
#define VB_PROVENANCE_H

#include <jansson.h>

#include "mpi/base/memory_peak.h"
#include "mpi/ranks/context.h"

const char *vb_provenance_version(void);      /* "0.1.0" */
const char *vb_provenance_release_date(void); /* "November 23, 2026": of the version */
const char *vb_provenance_revision(void);     /* git revision the binary was built from, "+" when the tree was dirty */

/* The `run` block's facts of machine, clock and command line, on rank 0 (NULL elsewhere): bytes sent and received are those
 * counted so far. Collective. */
int vb_provenance_run_facts(vb_context *context, int threads, const vb_memory_peak *peak, json_t **facts, vb_error *err);

#endif
