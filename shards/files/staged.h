/* Copies of files on a nearer disk, which are opened in their place. Paths, identities and messages stay those of the originals.
 *
 * The table is the process's, because every file that is opened must look: filled before threads read, cleared after them. */
#ifndef VB_STAGED_H
#define VB_STAGED_H

#include <stdbool.h>

#include "shards/files/identity.h"

/* `copy` has the bytes of `path` as it was when it had that identity. */
int vb_staged_add(const char *path, const vb_identity *identity, const char *copy, vb_error *err);
void vb_staged_clear(void);

/* Whether there is a copy of `path`. */
bool vb_staged_has(const char *path);
/* A descriptor of its copy, opened to read, as long as `path` is the file that was copied; -1: none, open the original. */
int vb_staged_open(const char *path);

#endif
