/* SHA-256 that results state of the files of models and corpora, against the files as they lie now. */
#ifndef VB_VERIFY_SUMS_H
#define VB_VERIFY_SUMS_H

#include "mpi/plan/verify.h"

/* Every file is hashed anew, whatever a cache says, a piece at a time; of results that were merged those of every part, each
 * once. A file that is another by now, or has another size, is an error that names it; so is a missing file of a corpus of which
 * others are there. What is gone altogether could not be looked at. Local; shown as a stage. */
int vb_verify_sums(const vb_verify *verify, vb_context *context, vb_error *err);

#endif
