/* Results of runs of parts of one experiment, joined to the results of the whole. */
#ifndef VB_MERGE_H
#define VB_MERGE_H

#include <stdbool.h>

#include "kernels/base/error.h"

typedef struct vb_merge_options {
    bool partial;             /* join what is there, although pairs are missing */
    bool latex;               /* write table.tex, too, even if no part did */
    char *const *environment; /* for the lock of the output folder (mpi/base/output_lock.h) */
} vb_merge_options;

/* given: `count` output folders of runs, their results.json, or OUTPUT/array of a job array for all of its tasks. The
 * folder `output` gets results.json and tables, byte-equal (less `run`) to those of one run of the whole experiment, and
 * the pairs' files; the tables are printed. VB_EMISMATCH for parts of different experiments, configurations, versions or
 * data, VB_EMISSING for a part or a pair that is not there, VB_EDATA for a file that is none of ours, VB_EOUTPUT while a
 * run owns the output folder. Local. */
int vb_merge(const char *output, const char *const *given, int count, const vb_merge_options *options, vb_error *err);

#endif
