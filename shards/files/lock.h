/* A lock file: a short text that one process makes, and that is replaced or removed only by who knows what it says. */
#ifndef VB_LOCK_H
#define VB_LOCK_H

#include <stdbool.h>

#include "kernels/base/error.h"

/* Makes the file unless it is there: *taken. */
int vb_lock_create(const char *path, const char *text, bool *taken, vb_error *err);
/* What it says, in *text (free with vb_free); NULL when there is none (any more). */
int vb_lock_read(const char *path, char **text, vb_error *err);
/* Puts `text` in the place of `expected`, the file being there all the time: *taken, or not when it says something else by now,
 * or another process on this machine is about to do the same. */
int vb_lock_replace(const char *path, const char *expected, const char *text, bool *taken, vb_error *err);
/* Removes it while it says `text`. */
void vb_lock_remove(const char *path, const char *text);

/* Locks folder/name as flock does, `how` being its word, until the descriptor that it gives is closed or the process ends; the
 * file is made when there is none. -1: it cannot, or LOCK_NB is in `how` and another process has it. */
int vb_lock_hold(const char *folder, const char *name, int how);

#endif
