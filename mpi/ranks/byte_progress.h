/* Progress of a pass over bytes, in MB: large files that are hashed or copied. */
#ifndef VB_BYTE_PROGRESS_H
#define VB_BYTE_PROGRESS_H

#include "mpi/ranks/progress.h"
#include "shards/files/digest.h"

typedef struct vb_byte_progress {
    vb_context *context;
    vb_progress progress;
    int64_t passed; /* bytes */
    bool shown;     /* there is a MB at least */
} vb_byte_progress;

/* stage, what: as of vb_progress_start. bytes: all that this rank goes through, for the others or by itself. Local. */
void vb_byte_progress_start(vb_byte_progress *progress, vb_context *context, const char *stage, const char *what, int64_t bytes);
/* The sum and so many passes over a file of that size. Sparse files may have up to 2^63 - 1 bytes each: INT64_MAX where the sum
 * would overflow. */
int64_t vb_byte_progress_add(int64_t sum, uint64_t bytes, int passes);
/* More bytes are done; -1 with VB_EINCOMPLETE when the run is to stop. */
int vb_byte_progress_step(vb_byte_progress *progress, int64_t bytes, vb_error *err);
/* Calls that step. */
vb_digest_watch vb_byte_progress_watch(vb_byte_progress *progress);
void vb_byte_progress_end(vb_byte_progress *progress);

#endif
