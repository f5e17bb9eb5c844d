/* Whether results hold: their digests, their records against their figures, the files of their models and corpora, and a sample
 * of units encoded again. */
#ifndef VB_VERIFY_H
#define VB_VERIFY_H

#include "mpi/experiment/experiment.h"
#include "mpi/plan/findings.h"
#include "mpi/ranks/context.h"
#include "mpi/results/result_folder.h"

typedef struct vb_verify {
    const vb_result_folder *folder;
    vb_findings *findings; /* "ok", "error", and "note" of what could not be looked at */
    bool whole;            /* vb_verify_whole will follow */
} vb_verify;

/* What lies in the folder, and the files of models and corpora where they still are. Local. */
int vb_verify_files(const vb_verify *verify, vb_context *context, vb_error *err);

/* `units` units of every pair, drawn by the configuration's digest, encoded again without any cache, with all class texts:
 * their digest must be that of the results, and every image's similarity with its class that of the records, to the last bit.
 * experiment: as it is read now. `scratch`: an empty folder. Collective over the context, of one rank. */
int vb_verify_sample(const vb_verify *verify, vb_context *context, const vb_experiment *experiment, int units,
                     const char *scratch, vb_error *err);

/* The experiment run again, into its `output` and with its `cache`, which are empty folders: every entry that it makes must be
 * the same to the last bit. Prints the run's tables. Collective over the context, of one rank. */
int vb_verify_whole(const vb_verify *verify, vb_context *context, const vb_experiment *experiment, vb_error *err);

#endif
