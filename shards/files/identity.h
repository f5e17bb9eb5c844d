/* Which file a path led to, and in what state: taken at opening, compared before what was read is kept.
 *
 * Equal identities mean equal content: tools set a file's time (mtime) as they like, its change time (ctime) only the system.
 * Devices do not count, whose numbers are each machine's own. */
#ifndef VB_IDENTITY_H
#define VB_IDENTITY_H

#include <stdint.h>
#include <time.h>

#include "kernels/base/error.h"

typedef struct vb_identity {
    uint64_t size, inode;
    int64_t mtime_ns, ctime_ns; /* of the content; of the content, the name, the owner, the permissions */
} vb_identity;                  /* without padding: digests take it as it lies */

/* A time as one number, which tells any two times of a few hundred years apart; beyond the year 2262 it wraps. */
int64_t vb_identity_nanoseconds(struct timespec time);

/* Of an open file; of a path (VB_EMISSING), following links. */
int vb_identity_of_descriptor(vb_identity *identity, int fd, const char *path, vb_error *err);
int vb_identity_of_path(vb_identity *identity, const char *path, vb_error *err);

/* VB_EDATA, with the path and what is different, when the path leads to another file by now, or that file was written to, or to
 * none. */
int vb_identity_check(const vb_identity *identity, const char *path, vb_error *err);

#endif
